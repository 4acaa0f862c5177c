"""Finds the files that a document imports and those next to it; open files are used as they are in the editor.

Reads files, so it runs in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import islice
from pathlib import Path

from llm_lsp.core.context.candidates import Piece
from llm_lsp.core.context.imports import Import, imports_of
from llm_lsp.core.context.ranking import LeftOut
from llm_lsp.engine.context.source_files import (
    MAX_NAMESAKES,
    FileReader,
    SourceFile,
    in_folder,
    namesakes,
    neighbours,
)
from llm_lsp.engine.privacy.workspace_bounds import WorkspaceBounds
from llm_lsp.system import path_of_uri

# Languages in which a folder is one package, whose files use each other without imports.
_ONE_PACKAGE_A_FOLDER = ("go", "java")
# Files with these names often re-export what other files define.
_PASSES_ON = ("__init__.py", "index.ts", "index.tsx", "index.js", "mod.rs", "lib.rs")


class RelatedFiles:
    """The surroundings of a document; everything is looked up once."""

    def __init__(self, bounds: WorkspaceBounds, files: FileReader, opened: dict[str, Piece]) -> None:
        self.opened = opened
        """The open documents that may be used, by URI."""
        # By path: clients escape some characters of a URI differently than we do.
        self._by_path = {path: piece for uri, piece in opened.items() if (path := path_of_uri(uri))}
        self._bounds = bounds
        self._files = files
        self._beside: list[SourceFile] | None = None

    def beside(self, language: str) -> list[SourceFile]:
        """Return the files of a language in the document's folder, except open ones."""
        if self._beside is None:
            target = self._bounds.target
            self._beside = list(self._closed(neighbours(target, language) if target else ()))
        return self._beside

    def alike(self, language: str) -> Iterator[Piece]:
        """Yield the files next to the document, and those of the same name in sibling folders, except generated
        ones.
        """
        for file in (*self.beside(language), *self._namesakes()):
            if file.is_generated:
                self._bounds.left_out.append(LeftOut(file.piece.path, "it was generated"))
            else:
                yield file.piece

    def used_by(self, own: Piece) -> Iterator[tuple[Piece, Set[str]]]:
        """Yield the files that a document uses, each with the names that it uses."""
        if own.language in _ONE_PACKAGE_A_FOLDER:
            yield from ((file.piece, own.words) for file in self.beside(own.language))
        for one in imports_of(own.lines, own.language, self._bounds.path):
            names = one.names or own.words
            for piece in self._imported(one):
                yield piece, names
                missing = names - piece.defined
                if missing and piece.path.endswith(_PASSES_ON):
                    yield from self._passed_on(piece, missing)

    def _namesakes(self) -> Iterator[SourceFile]:
        target = self._bounds.target
        # The parent folder must be within the workspace folder.
        has_beside = target is not None and "/" in self._bounds.path
        return islice(self._closed(namesakes(target) if target and has_beside else ()), MAX_NAMESAKES)

    def _closed(self, paths: Iterable[Path]) -> Iterator[SourceFile]:
        """Read those files that are not open and may be used."""
        closed = (path for path in paths if path not in self._by_path)
        return (file for path in closed if (file := self._read(path)))

    def _passed_on(self, piece: Piece, names: Set[str]) -> Iterator[tuple[Piece, Set[str]]]:
        """Yield the definitions of names that a file only re-exports."""
        for one in imports_of(piece.lines, piece.language, piece.path):
            if names & one.names:
                yield from ((found, names & one.names) for found in self._imported(one))

    def _imported(self, one: Import) -> Iterator[Piece]:
        """Find the files of an import: of the paths it could mean, the first that exists."""
        for guess in one.paths:
            path = self._bounds.path_to(guess)
            found = _files_at(path, is_folder=guess.endswith("/")) if path else []
            for each in found:
                piece = self._by_path.get(each)
                if piece is None and (file := self._read(each)):
                    piece = file.piece
                if piece:
                    yield piece
            if found:
                return

    def _read(self, path: Path) -> SourceFile | None:
        name = self._bounds.name(path.as_uri())
        if name is None:
            return None
        file = self._files.read(path, name)
        if isinstance(file, SourceFile):
            return file
        self._bounds.left_out.append(LeftOut(name, file.why))
        return None


def _files_at(path: Path, *, is_folder: bool) -> list[Path]:
    try:
        # Of the supported languages, only Go imports folders.
        return in_folder(path, "go") if is_folder else [path] * path.is_file()
    except OSError:  # the name is too long or invalid on this system
        return []
