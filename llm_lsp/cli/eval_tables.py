"""Prints what a measurement came to; knows nothing of how it was made."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from llm_lsp.evaluation.figures import COLUMNS, cells, sentence
from llm_lsp.evaluation.summary import ALL, Report


def print_tables(report: Report) -> None:
    """Print a table of all variants by language and kind, and how they did against the first."""
    # As wide as its columns need: a table that is cut to eighty columns for a file says nothing.
    console = Console(width=None if Console().is_terminal else 200)
    table = Table(title=f"completion in {report.repository}", title_justify="left")
    for name in ("language", "kind", "variant"):
        table.add_column(name, no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    before = ""
    for row in report.rows:
        if row.language + row.kind != before and before and len(report.names) > 1:
            table.add_section()
        before = row.language + row.kind
        table.add_row(row.language, row.kind, row.variant, *cells(row))
    console.print(table)
    for duel in report.duels:
        console.print(sentence(duel, next(iter(report.names.values()))), markup=False, highlight=False)
    failed = sum(row.failed for row in report.rows if (row.language, row.kind) == (ALL, ALL))
    if failed:
        console.print(f"{failed} holes could not be asked for; the next run tries them again", markup=False)
