"""Builds a self-contained HTML page for a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from llm_lsp.evaluation.report.number_format import COLUMNS, cells, sentence
from llm_lsp.evaluation.report.results import HoleResult
from llm_lsp.evaluation.report.summary import ALL, EvaluationReport
from llm_lsp.evaluation.report.svg_plots import PlotBar, curves, shares

# Number of answers shown, worst first: enough to see a pattern.
MAX_EXAMPLES = 30
# Okabe and Ito's palette, suitable for colour-blind readers: https://jfly.uni-koeln.de/color/
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7f7f7f")

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th.name, td.name { text-align: left; }
.wide { overflow-x: auto; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
svg .grid { stroke: #8884; } svg .whisker { stroke: currentColor; stroke-width: 1.5; }
svg .curve { fill: none; stroke-width: 2; }
pre { background: #8881; padding: .5rem; overflow-x: auto; margin: .2rem 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
""" + "".join(
    f"svg .c{idx} {{ fill: {colour}; }} svg .s{idx} {{ stroke: {colour}; }}\n"
    for idx, colour in enumerate(COLOURS)
)


def page(report: EvaluationReport) -> str:
    """Return the page: plots, the table, and the worst answers."""
    title = f"Completion in {escape(report.repository)}"
    body = [
        f"<h1>{title}</h1>",
        *(f"<p>Stopped: {escape(fault)}</p>" for fault in report.faults),
        *(f"<p>{escape(share.sentence)}</p>" for share in report.typed),
        "<h2>Exact answers</h2><p>The line is the 95 % confidence interval.</p>",
        shares(list(_exact_bars(report))),
        "<h2>Similarity to the original text, by kind of hole</h2>",
        shares(list(_similarity_bars(report))),
        "<h2>Seconds to the answer</h2><p>The share of answers that had arrived by then.</p>",
        curves(_times(report), "s"),
        "<h2>All figures</h2>",
        _table(report),
        "<h2>Worst answers</h2>",
        *map(_example, _worst(report)),
    ]
    return document(title, body)


def document(title: str, body: Iterable[str]) -> str:
    """Combine escaped parts to a page that loads nothing."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _exact_bars(report: EvaluationReport) -> Iterator[PlotBar]:
    for row in report.rows:
        if (row.language, row.kind) == (ALL, ALL):
            yield PlotBar(row.variant, row.exact, row.exact_low, row.exact_high, _colour(report, row.variant))


def _similarity_bars(report: EvaluationReport) -> Iterator[PlotBar]:
    for row in report.rows:
        if row.language == ALL and row.kind != ALL:
            label = f"{row.kind}, {row.variant}"
            yield PlotBar(label, row.similarity, row.similarity, row.similarity, _colour(report, row.variant))


def _colour(report: EvaluationReport, variant: str) -> int:
    return list(report.names.values()).index(variant) % len(COLOURS)


def _times(report: EvaluationReport) -> dict[str, list[float]]:
    return {
        name: [
            result.cost.whole_s for result in report.results if result.variant == key and not result.failed
        ]
        for key, name in report.names.items()
    }


def _table(report: EvaluationReport) -> str:
    heads = [f'<th class="name">{name}</th>' for name in ("language", "kind", "variant")]
    heads += [f"<th>{name}</th>" for name in COLUMNS]
    lines = [f"<tr>{''.join(heads)}</tr>"]
    for row in report.rows:
        names = (row.language, row.kind, row.variant)
        fields = [f'<td class="name">{escape(name)}</td>' for name in names]
        fields += [f"<td>{escape(cell)}</td>" for cell in cells(row)]
        lines.append(f"<tr>{''.join(fields)}</tr>")
    first, *_ = report.names.values()
    duels = "".join(f"<p>{escape(sentence(duel, first))}</p>" for duel in report.duels)
    return f'<div class="wide"><table>{"".join(lines)}</table></div>{duels}'


def _worst(report: EvaluationReport) -> list[HoleResult]:
    """Return the worst answers, without empty ones."""
    answered = [result for result in report.results if result.answer and not result.score.exact]
    return sorted(answered, key=lambda result: result.score.similarity)[:MAX_EXAMPLES]


def _example(result: HoleResult) -> str:
    what = f"{result.place}, {result.kind}, {result.variant.rpartition(' ')[0]}"
    pair = "".join(
        f"<div>{name}<pre>{escape(text)}</pre></div>"
        for name, text in (("stood there", result.expected), ("was answered", result.answer))
    )
    return f'<h3>{escape(what)}</h3><div class="pair">{pair}</div>'
