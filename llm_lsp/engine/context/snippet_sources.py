"""Finds candidates for context around a cursor. Reads files, so it runs in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llm_lsp.core.context.candidates import (
    Piece,
    edited,
    out_of_sight,
    query_of,
    signatures,
    similar,
    visited,
    without_sight,
)
from llm_lsp.core.context.edit_history import EditHistory
from llm_lsp.core.context.ranking import Candidate, PreparedContext, VisibleRange, arrange, rank
from llm_lsp.core.context.snippet import ContextSource
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.invisible_chars import plain_name
from llm_lsp.core.text.language_ids import kin_of
from llm_lsp.core.text.syntax import has_grammar
from llm_lsp.core.text.text import Point
from llm_lsp.engine.context.related_files import RelatedFiles
from llm_lsp.engine.context.source_files import FileReader
from llm_lsp.engine.privacy.ignore_files import RulesCache
from llm_lsp.engine.privacy.workspace_bounds import WorkspaceBounds

# Only this many lines of an open document are used; longer ones are logs or generated.
MAX_OPEN_LINES = 5000


@dataclass(frozen=True, slots=True)
class ContextView:
    """The user's view at the time of the pause."""

    document: Document
    point: Point
    sight: VisibleRange
    open: tuple[Document, ...]
    """All open documents, including the current one."""
    edit_history: EditHistory
    folders: tuple[str, ...]
    """URIs of the workspace's folders."""
    exclusion: Exclusion
    sources: tuple[ContextSource, ...]
    now: float


class ContextSources:
    """Prepares context. Caches what it reads; used by one thread at a time."""

    def __init__(self) -> None:
        self._files = FileReader()
        self._rules = RulesCache()
        self._pieces: dict[str, tuple[Document, Piece]] = {}

    def prepare(self, view: ContextView, before: PreparedContext) -> PreparedContext:
        """Find candidates for the prompts of a view."""
        bounds = WorkspaceBounds.around(view.document.uri, view.folders, view.exclusion, self._rules)
        opened = self._opened(view, bounds)
        project = RelatedFiles(bounds, self._files, opened)
        found = {source: self._find(source, view, project) for source in view.sources}
        ranked = rank(found, view.sight.telling_lines(view.document.text))
        return PreparedContext(
            ranked, arrange(ranked, before.ordered), tuple(bounds.left_out), plain_name(bounds.path)
        )

    def _find(self, source: ContextSource, view: ContextView, project: RelatedFiles) -> list[Candidate]:
        names = {uri: piece.path for uri, piece in project.opened.items()}
        own = project.opened[view.document.uri]
        match source:
            case "signatures" if has_grammar(own.language):
                query = query_of(own.lines, view.point)
                used = [(own, out_of_sight(query, own, view.sight)), *project.used_by(own)]
                return signatures(query, used)
            case "similar":
                return similar(own.lines, view.point, list(_alike(own, view.sight, project)))
            case "visited":
                return visited(view.edit_history.as_of(view.open).visits, names)
            case "edits":
                return edited(view.edit_history.as_of(view.open).fresh_bursts(view.now), names)
            case _:
                return []

    def _opened(self, view: ContextView, bounds: WorkspaceBounds) -> dict[str, Piece]:
        """Return the open documents that may be used, as they are in the editor."""
        kept, self._pieces = self._pieces, {}
        for document in view.open:
            name = bounds.name(document.uri)
            if name is None:
                continue
            known = kept.get(document.uri)
            if known is None or known[0] is not document:
                lines = document.text.lines(0, MAX_OPEN_LINES)
                known = document, Piece(document.uri, name, document.language, lines)
            self._pieces[document.uri] = known
        return {uri: piece for uri, (_, piece) in self._pieces.items()}


def _alike(own: Piece, sight: VisibleRange, project: RelatedFiles) -> Iterator[Piece]:
    """Yield the texts to compare with: in the document's language, outside of the visible range, not generated."""
    kin = kin_of(own.language)
    for piece in project.opened.values():
        if kin_of(piece.language) == kin:
            yield without_sight(piece, sight) if piece is own else piece
    yield from project.alike(own.language)
