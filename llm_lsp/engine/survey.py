"""Looks around a cursor for what should go with a prompt: files are read here, so it is used in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.core.context import Candidate, LeftOut, Prepared, arrange, rank, surroundings_of
from llm_lsp.core.exclude import Exclusion
from llm_lsp.core.places import Piece, edited, query_of, similar, visited
from llm_lsp.core.similarity import telling_lines
from llm_lsp.core.trail import Trail
from llm_lsp.core.types import ContextSource, Document, Point
from llm_lsp.engine.files import Files, Unusable, kin_of, neighbours
from llm_lsp.engine.ignored import IgnoreFiles
from llm_lsp.system import path_of_uri

# Lines of an open document that are compared; more are a log or generated.
MAX_OPEN_LINES = 5000


@dataclass(frozen=True, slots=True)
class View:
    """What somebody sees, as it was when they paused."""

    document: Document
    point: Point
    open: tuple[Document, ...]
    trail: Trail
    folders: tuple[str, ...]
    """URIs of the workspace's folders."""
    exclusion: Exclusion
    sources: tuple[ContextSource, ...]
    now: float


class Survey:
    """Prepares context; keeps what it read, and is used by one thread at a time."""

    def __init__(self) -> None:
        self._files = Files()
        self._pieces: dict[str, tuple[Document, Piece]] = {}

    def prepare(self, view: View, before: Prepared) -> Prepared:
        """Find what may go with prompts for a view."""
        border = Border.around(view)
        names = self._open_documents(view, border)
        found: dict[ContextSource, list[Candidate]] = {}
        near = surroundings_of(view.document.text, view.point)
        if "similar" in view.sources:
            pieces = [*self._open_pieces(view, names), *self._neighbours(view, border, names)]
            lines = view.document.text.lines(0, MAX_OPEN_LINES)
            found["similar"] = similar(query_of(lines, view.point), pieces)
        if "visited" in view.sources:
            found["visited"] = visited(view.trail.visits, names)
        if "edits" in view.sources:
            found["edits"] = edited(view.trail.fresh_bursts(view.now), names)
        ranked = rank(found, telling_lines(near))
        return Prepared(ranked, arrange(ranked, before.ordered), tuple(border.left_out), border.path)

    def _open_documents(self, view: View, border: Border) -> dict[str, str]:
        """Name the open documents that may be used, by URI."""
        names = {document.uri: border.name(document.uri) for document in view.open}
        return {uri: name for uri, name in names.items() if name is not None}

    def _open_pieces(self, view: View, names: dict[str, str]) -> Iterator[Piece]:
        kept = self._pieces
        self._pieces = {}
        for document in view.open:
            name = names.get(document.uri)
            if name is None or kin_of(document.language) != kin_of(view.document.language):
                continue
            known = kept.get(document.uri)
            if known is None or known[0] is not document:
                lines = document.text.lines(0, MAX_OPEN_LINES)
                known = document, Piece(document.uri, name, lines)
            self._pieces[document.uri] = known
            yield known[1]

    def _neighbours(self, view: View, border: Border, names: dict[str, str]) -> Iterator[Piece]:
        path = border.target
        if path is None:
            return
        for neighbour in neighbours(path, view.document.language):
            uri = neighbour.as_uri()
            name = None if uri in names else border.name(uri)
            if name is None:
                continue
            file = self._files.read(neighbour, name)
            if isinstance(file, Unusable):
                border.left_out.append(LeftOut(name, file.why))
            elif not file.is_generated:
                yield file.piece


class Border:
    """What may be used for one document: its own workspace folder, but for what is excluded or ignored there."""

    def __init__(self, target: Document, folder: Path | None, exclusion: Exclusion) -> None:
        self._uri = target.uri
        self._folder = folder
        self._real = folder.resolve() if folder else None
        self._ignored = IgnoreFiles(self._real) if self._real else None
        self._exclusion = exclusion
        self.target = path_of_uri(target.uri) if folder else None
        """The document's file, None where it is in no folder of the workspace."""
        self.path = self._relative(target.uri) or ""
        """The document's path in its folder, "" where it is in none."""
        self.left_out: list[LeftOut] = []
        self._names: dict[str, str | None] = {}

    @classmethod
    def around(cls, view: View) -> Border:
        """Find the innermost folder that a view's document stands in."""
        path = path_of_uri(_file_uri(view.document.uri))
        folders = [folder for uri in view.folders if (folder := path_of_uri(uri))]
        holding = [folder for folder in folders if path and path.is_relative_to(folder)]
        innermost = max(holding, key=lambda folder: len(folder.parts), default=None)
        return cls(view.document, innermost, view.exclusion)

    def name(self, uri: str) -> str | None:
        """Give the path in its folder that a usable document or file is known by; None for any other."""
        if uri not in self._names:
            self._names[uri] = self._judged(uri)
        return self._names[uri]

    def _judged(self, uri: str) -> str | None:
        if uri == self._uri:
            return self.path or _last_part(uri)
        relative = self._relative(uri)
        if relative is None:
            return None
        if why := self._refusal(uri, relative):
            self.left_out.append(LeftOut(relative, why))
            return None
        return relative

    def _relative(self, uri: str) -> str | None:
        path = path_of_uri(_file_uri(uri))
        if path is None or self._folder is None or not path.is_relative_to(self._folder):
            return None
        return path.relative_to(self._folder).as_posix()

    def _refusal(self, uri: str, relative: str) -> str:
        assert self._real is not None and self._ignored is not None
        path = self._real / relative
        try:
            real = path.resolve()
        except (OSError, RuntimeError):
            return "its links go round in circles"
        if not real.is_relative_to(self._real):
            return "it stands outside of the workspace"
        if self._exclusion.covers(uri) or self._exclusion.covers(real.as_uri()):
            return "it is excluded"
        if self._ignored.covers(path) or self._ignored.covers(real):
            return "the project's ignore files name it"
        return ""


def _file_uri(uri: str) -> str:
    """Give the file that a notebook's cell is in; other URIs stay as they are."""
    scheme, mark, rest = uri.partition(":")
    return f"file:{rest.partition('#')[0]}" if scheme == "vscode-notebook-cell" else scheme + mark + rest


def _last_part(uri: str) -> str:
    return uri.rpartition("/")[2]
