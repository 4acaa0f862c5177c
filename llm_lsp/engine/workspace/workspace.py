"""The open documents, how fast each is being typed in, and the edit history."""

from __future__ import annotations

from collections.abc import Callable

from llm_lsp.core.context.edit_history import EditHistory
from llm_lsp.core.context.notebook_cells import NotebookCell, OpenCell
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point
from llm_lsp.core.text.typing_pace import TypingPace


class Workspace:
    """The documents open in the editor, as the newest immutable snapshots."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._documents: dict[str, Document] = {}
        self._paces: dict[str, TypingPace] = {}
        self._notebooks: dict[str, tuple[NotebookCell, ...]] = {}
        self._notebook_of: dict[str, str] = {}
        """The notebook of each cell."""
        self.edit_history = EditHistory()
        """The user's positions and changes in all documents."""

    def open(self, document: Document) -> None:
        """Add a document, or replace its text."""
        self._documents[document.uri] = document
        self._paces[document.uri] = TypingPace()

    def change(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Replace a document by its new version; one that was not open is added."""
        old = self._documents.get(document.uri)
        self._documents[document.uri] = document
        if old is not None:
            self.edit_history = self.edit_history.edited(old, document, edits, self._now())
        deleting = bool(edits) and all(edit.text == "" and edit.start != edit.end for edit in edits)
        self._paces[document.uri] = self.pace(document.uri).edited(self._now(), deleting=deleting)

    def visit(self, uri: str, point: Point) -> None:
        """Record the user's position; ignored if the document is not open."""
        # The current text, without the selected menu item that a request may include.
        if document := self._documents.get(uri):
            self.edit_history = self.edit_history.at(document, point)

    def close(self, uri: str) -> None:
        """Forget a document; ignored if it is not open."""
        self._documents.pop(uri, None)
        self._paces.pop(uri, None)
        self.edit_history = self.edit_history.without(uri)

    def arrange(self, notebook: str, cells: tuple[NotebookCell, ...]) -> None:
        """Record the order of a notebook's cells; none forgets the notebook."""
        for cell in self._notebooks.pop(notebook, ()):
            self._notebook_of.pop(cell.uri, None)
        if cells:
            self._notebooks[notebook] = cells
            self._notebook_of.update((cell.uri, notebook) for cell in cells)

    def cells_above(self, uri: str) -> tuple[OpenCell, ...]:
        """Return the open cells before a document in its notebook, in order; none if it is no cell."""
        cells = self._notebooks.get(self._notebook_of.get(uri, ""), ())
        at = next((idx for idx, cell in enumerate(cells) if cell.uri == uri), 0)
        known = ((self._documents.get(cell.uri), cell.is_markup) for cell in cells[:at])
        return tuple(OpenCell(document, is_markup) for document, is_markup in known if document)

    def document(self, uri: str) -> Document | None:
        """Return the newest snapshot, or None if the document is not open."""
        return self._documents.get(uri)

    def documents(self) -> tuple[Document, ...]:
        """Return all open documents, in the order in which they were opened."""
        return tuple(self._documents.values())

    def pace(self, uri: str) -> TypingPace:
        """Return how fast a document is being typed in."""
        return self._paces.get(uri, TypingPace())
