"""Finds and reads source files near a document, and caches them until they change.

Reads files, so it runs in a thread. A file that cannot be used yields a reason, not an error.
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
from llm_lsp.core.text.language_ids import kin_of, language_for_path
from llm_lsp.system import read_plain_file

# Bytes. Of 11,775 source files in installed packages and headers, 13 are larger, all of them generated.
MAX_BYTES = 1 << 18
# Number and bytes of cached files; with their index of words they take six times as much memory.
MAX_KEPT, MAX_KEPT_BYTES = 96, 4 << 20
# How many names in a folder are read, at most.
MAX_NAMES = 2000
MAX_NEIGHBOURS = 32
# How many sibling folders are checked for a file of the same name, and how many such files are read.
MAX_FOLDERS, MAX_NAMESAKES = 200, 8
# Characters. Code with longer lines was generated.
MAX_LINE_CHARS = 2000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's content when it was read."""

    piece: Piece
    is_generated: bool


@dataclass(frozen=True, slots=True)
class UnusableFile:
    """Why a file cannot be used."""

    why: str


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: tuple[int, int]
    """Modification time and size."""
    file: SourceFile | UnusableFile

    @property
    def n_bytes(self) -> int:
        """Return the file's size, 0 if its content is not kept."""
        return self.mark[1] if isinstance(self.file, SourceFile) else 0


class FileReader:
    """Reads files, and caches the last ones; used by one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}
        self._n_bytes = 0

    def read(self, path: Path, name: str) -> SourceFile | UnusableFile:
        """Read a file, called `name` in the result; a file that was deleted meanwhile is unusable like any
        other.
        """
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
    """List the files of a language in a file's folder, those with similar names first."""
    kin = [each for each in in_folder(path.parent, language) if each != path]
    # Sort ties by name: the order of a folder differs between disks, and would change the prompt.
    kin.sort(key=lambda each: (-_likeness(each.name, path.name), each.name))
    return kin[:MAX_NEIGHBOURS]


def namesakes(path: Path) -> Iterator[Path]:
    """Yield files of the same name in sibling folders, those in similarly named folders first.

    For `users/views.py`, one is `orders/views.py`.
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
        # os.path.isfile, because Path.is_file raises if the folder may not be entered.
        if os.path.isfile(found):
            yield found


def in_folder(folder: Path, language: str) -> list[Path]:
    """List the files of a language and related languages in a folder; empty if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, MAX_NAMES)]
    except OSError:
        return []
    return [folder / name for name in names if kin_of(language_for_path(name)) == kin_of(language)]


def decode(data: bytes) -> str | None:
    """Decode a source file without its byte order mark; None if it is neither UTF-8 nor marked as UTF-16."""
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
        return UnusableFile(f"it is not a regular file of at most {MAX_BYTES >> 10} KiB")
    return source_file(data, path.as_uri(), name)


def source_file(data: bytes, uri: str, name: str) -> SourceFile | UnusableFile:
    """Check a source file's content and split it into lines."""
    text = decode(data)
    if text is None:
        return UnusableFile("it is neither UTF-8 nor marked as UTF-16")
    if "\0" in text:
        return UnusableFile("it is binary")
    lines = text.splitlines(keepends=True)
    if _longest(lines) > MAX_LINE_CHARS:
        return UnusableFile("its lines are too long for handwritten code")
    return SourceFile(Piece(uri, name, language_for_path(name), lines), is_generated(text))


def _longest(lines: Iterable[str]) -> int:
    return max(map(len, lines), default=0)
