"""Finds and reads the files around a document, and keeps them while they do not change.

Everything here reads files, so it is used in a thread. What cannot be used is named with its reason, never an error.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from llm_lsp.core.context.candidates import Piece
from llm_lsp.core.context.generated_code import is_generated
from llm_lsp.core.text.language_ids import language_for_path
from llm_lsp.system import read_plain_file

# Bytes. Of 11,775 source files of installed packages and headers 13 are larger, all made by programs.
MAX_BYTES = 1 << 18
# Files that are kept, and bytes of them; with their lines by their words they take six times as much.
MAX_KEPT, MAX_KEPT_BYTES = 96, 4 << 20
# Names in a folder that are looked at, and files of it that are read.
MAX_NAMES = 2000
MAX_NEIGHBOURS = 32
# Folders beside the document's that are asked for a file of its name, and such files that are read.
MAX_FOLDERS, MAX_NAMESAKES = 200, 8
# Characters. A line that long was written by a program.
MAX_LINE_CHARS = 2000
# Languages whose files use each other.
_KIN = {
    "typescriptreact": "typescript",
    "javascript": "typescript",
    "javascriptreact": "typescript",
    "vue": "typescript",
    "svelte": "typescript",
    "c": "cpp",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was when it was read."""

    piece: Piece
    is_generated: bool


@dataclass(frozen=True, slots=True)
class UnusableFile:
    """Why a file is of no use."""

    why: str


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: tuple[int, int]
    """When it was changed, and its size."""
    file: SourceFile | UnusableFile

    @property
    def n_bytes(self) -> int:
        """The file's size, 0 if nothing of it is kept."""
        return self.mark[1] if isinstance(self.file, SourceFile) else 0


class FileReader:
    """Reads files, and keeps the last ones; used by one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}
        self._n_bytes = 0

    def read(self, path: Path, name: str) -> SourceFile | UnusableFile:
        """Read a file whose user knows it by `name`; one that was deleted meanwhile is unusable, as others are."""
        try:
            found = path.stat()
            mark = found.st_mtime_ns, found.st_size
            kept = self._forget(path)
            if kept is None or kept.mark != mark:
                kept = _Kept(mark, _read(path, name))
        except OSError as exc:
            return UnusableFile(f"it cannot be read: {exc.strerror or 'no reason given'}")
        self._kept[path] = kept
        self._n_bytes += kept.n_bytes
        while len(self._kept) > MAX_KEPT or self._n_bytes > MAX_KEPT_BYTES:
            self._forget(next(iter(self._kept)))
        return kept.file

    def _forget(self, path: Path) -> _Kept | None:
        kept = self._kept.pop(path, None)
        if kept:
            self._n_bytes -= kept.n_bytes
        return kept


def neighbours(path: Path, language: str) -> list[Path]:
    """List the files of a language in a file's folder, those with names like its own first."""
    kin = [each for each in in_folder(path.parent, language) if each != path]
    # By name where they are equally like it: the order of a folder is the disk's, and would change the prompt.
    kin.sort(key=lambda each: (-_likeness(each.name, path.name), each.name))
    return kin[:MAX_NEIGHBOURS]


def namesakes(path: Path) -> Iterator[Path]:
    """Return the files of a file's name in the folders beside its own, those in similarly named folders first.

    Of `users/views.py` they are `orders/views.py` and its like.
    """
    folder = path.parent
    try:
        with os.scandir(folder.parent) as entries:
            names = [entry.name for entry in islice(entries, MAX_NAMES) if entry.name != folder.name]
    except OSError:
        return
    names.sort(key=lambda name: (-_likeness(name, folder.name), name))
    for name in names[:MAX_FOLDERS]:
        found = folder.parent / name / path.name
        # Of `os.path`, since that of a Path raises where a folder may not be looked into.
        if os.path.isfile(found):
            yield found


def in_folder(folder: Path, language: str) -> list[Path]:
    """List the files of a language and its kin in a folder; nothing where that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, MAX_NAMES)]
    except OSError:
        return []
    return [folder / name for name in names if kin_of(language_for_path(name)) == kin_of(language)]


def kin_of(language: str) -> str:
    """Return the name that a language shares with those whose files it uses."""
    return _KIN.get(language, language)


def decode(data: bytes) -> str | None:
    """Read a source file's bytes, without their mark; None if they are neither UTF-8 nor marked as UTF-16."""
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    try:
        return data.decode("utf-16" if data.startswith(marks) else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _likeness(name: str, other: str) -> int:
    one, two = (_stem_words(each) for each in (name, other))
    return len(one & two)


def _stem_words(name: str) -> set[str]:
    stem = name.partition(".")[0].lower().replace("-", "_")
    return {word for word in stem.split("_") if word not in ("", "test", "tests", "spec")}


def _read(path: Path, name: str) -> SourceFile | UnusableFile:
    data = read_plain_file(path, MAX_BYTES)
    if data is None:
        return UnusableFile(f"it is no plain file of at most {MAX_BYTES >> 10} KiB")
    return source_file(data, path.as_uri(), name)


def source_file(data: bytes, uri: str, name: str) -> SourceFile | UnusableFile:
    """Check and split the content of a source file."""
    text = decode(data)
    if text is None:
        return UnusableFile("it is neither UTF-8 nor marked as UTF-16")
    if "\0" in text:
        return UnusableFile("it is binary")
    lines = text.splitlines(keepends=True)
    if _longest(lines) > MAX_LINE_CHARS:
        return UnusableFile("its lines are too long for code that somebody wrote")
    return SourceFile(Piece(uri, name, language_for_path(name), lines), is_generated(text))


def _longest(lines: Iterable[str]) -> int:
    return max(map(len, lines), default=0)
