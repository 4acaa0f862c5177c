"""Formats the figures of a measurement for people."""

from __future__ import annotations

from llm_lsp.evaluation.report.summary import SummaryRow, VariantComparison

COLUMNS = (
    "holes",
    "exact",
    "95 %",
    "similar",
    "1st line",
    "empty",
    "syntax",
    "tokens in",
    "out",
    "1000 cost",
    "first",
    "whole",
    "p95",
)


def cells(row: SummaryRow) -> list[str]:
    """Format the figures of a row, in the order of COLUMNS."""
    return [
        str(row.holes),
        percent(row.exact),
        f"{100 * row.exact_low:.0f}-{100 * row.exact_high:.0f}",
        percent(row.similarity),
        percent(row.first_line),
        percent(row.empty),
        "" if row.syntax is None else percent(row.syntax),
        f"{row.input_tokens:.0f}",
        f"{row.output_tokens:.0f}",
        "" if row.money is None else f"{1000 * row.money:.2f} {row.currency}",
        "" if row.first_s is None else seconds(row.first_s),
        seconds(row.whole_s),
        seconds(row.whole_p95_s),
    ]


def sentence(duel: VariantComparison, first: str) -> str:
    """Describe how a variant compares to the first one."""
    return (
        f"{duel.variant} against {first}: better for {duel.better} holes, worse for {duel.worse}, "
        f"equal for {duel.same}; exact {100 * duel.exact_gain:+.1f}, similar {100 * duel.similarity_gain:+.1f} points"
    )


def percent(share: float) -> str:
    """Format a share."""
    return f"{100 * share:.1f} %"


def seconds(time_s: float) -> str:
    """Format a time, below a second in milliseconds."""
    return f"{time_s:.1f} s" if time_s >= 1 else f"{1000 * time_s:.0f} ms"
