"""A table on standard output, for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from llm_lsp.core.text.invisible_chars import visible

if TYPE_CHECKING:
    from rich.console import Console

# Cells between two columns.
GAP = 2
# Cells. Into a pipe, lines are not wrapped or cut, so that `grep` works.
_PIPE_CELLS = 1000


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], figures: Collection[str] = (), title: str = ""
) -> None:
    """Print rows under column headings; an empty row is a blank line.

    Columns named in `figures` are right-aligned; they and the first column are never wrapped. Control characters
    are escaped.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    # Between two columns the box contributes one cell, and the padding the rest of GAP.
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    table.title, table.title_justify = visible(title) or None, "left"
    for column in columns:
        is_figure = column in figures
        is_whole = is_figure or column == columns[0]
        table.add_column(column, justify="right" if is_figure else "left", no_wrap=is_whole, overflow="fold")
    for row in rows:
        table.add_row(*map(visible, row))
    _console().print(table)


def width() -> int:
    """Return the number of cells available for a row."""
    return _console().width


def _console() -> Console:
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_CELLS
    return console
