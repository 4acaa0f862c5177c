"""Formats a measurement of next edits for people."""

from __future__ import annotations

from llm_lsp.evaluation.edits.results import CurvePoint, EditRow
from llm_lsp.evaluation.report.number_format import percent

COLUMNS = (
    "open",
    "finished",
    "shown",
    "coverage",
    "right",
    "precision",
    "95 %",
    "inside",
    "≤ 2",
    "≤ 20",
    "similar",
    "quiet",
    "undo",
    "keys saved",
    "tokens in",
    "out",
    "cost",
    "median",
    "p95",
)
CURVE_COLUMNS = ("confidence", "coverage", "right", "precision", "quiet")


def cells(row: EditRow) -> list[str]:
    """Format the figures of a row, in the order of COLUMNS."""
    return [
        str(row.open),
        str(row.finished),
        str(row.shown),
        percent(row.coverage),
        percent(row.right),
        percent(row.precision),
        f"{100 * row.precision_low:.0f}-{100 * row.precision_high:.0f}",
        percent(row.inside),
        percent(row.near),
        percent(row.around),
        percent(row.similarity),
        percent(row.quiet) if row.finished else "",
        percent(row.reversal),
        str(row.keys_saved),
        str(row.input_tokens),
        str(row.output_tokens),
        "" if row.money is None else f"{row.money:.2f} {row.currency}".rstrip(),
        _milliseconds(row.median_s),
        _milliseconds(row.p95_s),
    ]


def curve_cells(point: CurvePoint) -> list[str]:
    """Format a point of the curve, in the order of CURVE_COLUMNS."""
    shares = (point.coverage, point.right, point.precision, point.quiet)
    return [f"{point.threshold:.2f}", *map(percent, shares)]


def _milliseconds(time_s: float) -> str:
    """Format a time in milliseconds, with decimals if it is short."""
    return f"{1000 * time_s:.1f} ms"
