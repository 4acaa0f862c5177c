"""Builds a self-contained HTML page for a measurement of next edits."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from llm_lsp.evaluation.edits.number_format import COLUMNS, cells
from llm_lsp.evaluation.edits.results import EditReport
from llm_lsp.evaluation.report.html_page import document
from llm_lsp.evaluation.report.summary import ALL
from llm_lsp.evaluation.report.svg_plots import PlotBar, line_plot, shares


def page(report: EditReport) -> str:
    """Return the page: the precision-coverage curve, the shares by kind and language, and all figures."""
    title = f"Next edits in {escape(report.repository)}"
    curve = [(point.coverage, point.precision) for point in report.curve if point.coverage]
    return document(
        title,
        [
            f"<h1>{title}</h1>",
            f"<p>{report.commits} commits, seed {report.seed}; shown automatically from confidence {report.threshold}.</p>",
            "<h2>Precision by coverage</h2><p>Each point is a confidence threshold: across, the share of states with a "
            "remaining change in which an edit is shown; up, the share of the shown edits that are exact.</p>",
            line_plot(curve, "coverage", "precision"),
            "<h2>Exact among the shown edits</h2><p>The line is the 95 % confidence interval.</p>",
            shares(list(_bars(report))),
            "<h2>All figures</h2>",
            _table(report),
        ],
    )


def _bars(report: EditReport) -> Iterator[PlotBar]:
    for row in report.rows:
        if row.shown:
            name = row.group if row.kind == ALL else row.kind
            yield PlotBar(
                f"{name} ({row.shown} shown)", row.precision, row.precision_low, row.precision_high, 0
            )


def _table(report: EditReport) -> str:
    heads = ['<th class="name">states</th>', '<th class="name">kind</th>']
    heads += [f"<th>{name}</th>" for name in COLUMNS]
    lines = [f"<tr>{''.join(heads)}</tr>"]
    for row in report.rows:
        fields = [f'<td class="name">{escape(name)}</td>' for name in (row.group, row.kind)]
        fields += [f"<td>{escape(cell)}</td>" for cell in cells(row)]
        lines.append(f"<tr>{''.join(fields)}</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'
