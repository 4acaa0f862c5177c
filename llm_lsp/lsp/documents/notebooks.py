"""The order of the cells in each open notebook, as the client reports it."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from llm_lsp.core.context.notebook_cells import NotebookCell
from llm_lsp.core.privacy.document_paths import readings


class Notebooks:
    """The cells of open notebooks, in order."""

    def __init__(self) -> None:
        self._cells: dict[str, list[NotebookCell]] = {}

    def cells(self, notebook: str) -> tuple[NotebookCell, ...]:
        """Return the cells of a notebook; none if it is not open."""
        return tuple(self._cells.get(notebook, ()))

    def open(self, notebook: str, cells: Sequence[types.NotebookCell]) -> None:
        """Add a notebook, or replace its cells."""
        self._cells[notebook] = [*map(_cell, cells)]

    def splice(self, notebook: str, change: types.NotebookCellArrayChange) -> None:
        """Replace some cells by others: cells were inserted, removed or moved."""
        known = self._cells.setdefault(notebook, [])
        stop = change.start + change.delete_count
        known[change.start : stop] = [*map(_cell, change.cells or ())]

    def update(self, notebook: str, cells: Sequence[types.NotebookCell]) -> None:
        """Replace the data of cells that are known: code became Markdown, or the other way round."""
        changed = {cell.document: _cell(cell) for cell in cells}
        known = self._cells.get(notebook, [])
        self._cells[notebook] = [changed.get(cell.uri, cell) for cell in known]

    def close(self, notebook: str) -> None:
        """Forget a notebook; ignored if it is not open."""
        self._cells.pop(notebook, None)


def notebook_of(cell: str, notebook: str) -> str:
    """Return the notebook whose rules hold for a cell; "" if the cell's own URI does not name the same file.

    Clients invent the schemes of cells, and rules are about files.
    """
    try:
        shares_path = set(readings(cell)) & set(readings(notebook))
    except ValueError:
        return ""
    return notebook if shares_path else ""


def _cell(cell: types.NotebookCell) -> NotebookCell:
    return NotebookCell(cell.document, cell.kind == types.NotebookCellKind.Markup)
