"""Which files a project's ignore files exclude.

Reads small files, so it runs in a thread.
"""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.core.privacy.file_copies import originals
from llm_lsp.core.privacy.gitignore import EVERYTHING, IgnoreRules, read_patterns
from llm_lsp.system import read_plain_file

# git's patterns, in effect from the repository's root on.
GIT_FILE = ".gitignore"
# Read by JetBrains' AI assistant (https://www.jetbrains.com/help/ai-assistant/disable-ai-assistant.html). This file and
# the marker state the user's intention, so they are also in effect in folders above the repository.
ASSISTANT_FILE = ".aiignore"
# A folder with this file, and everything below it, is closed to AI assistants; from the same page.
MARKER = ".noai"
# Bytes. A real ignore file is a page; a larger one is not read, and its folder counts as ignored. One of 256 KiB, of 37,000
# patterns that match in many ways, made the event loop late by 100 ms while a thread read it.
_MAX_BYTES = 1 << 17
# Cached ignore files; a repository has a few dozen at most.
_MAX_KEPT = 256
# On these systems git ignores case unless configured otherwise (git-config(1), core.ignoreCase).
_IGNORES_CASE = sys.platform in ("win32", "darwin")


@dataclass(frozen=True, slots=True)
class _ReadFile:
    mark: tuple[int, int, int]
    """Inode, modification time and size."""
    rules: IgnoreRules


class RulesCache:
    """Caches ignore files until they change."""

    def __init__(self) -> None:
        self._files: dict[Path, _ReadFile] = {}

    def rules(self, path: Path) -> IgnoreRules | None:
        """Return the rules of an ignore file, None if there is none; an unreadable one ignores everything."""
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._files.pop(path, None)
            return None
        except OSError:
            return IgnoreRules([EVERYTHING])
        mark = found.st_ino, found.st_mtime_ns, found.st_size
        known = self._files.get(path)
        if known is None or known.mark != mark:
            if len(self._files) >= _MAX_KEPT:
                self._files.clear()
            known = self._files[path] = _ReadFile(mark, _read(path))
        return known.rules


class IgnoreFiles:
    """The ignore files in effect in one workspace folder at this moment; each is read once."""

    def __init__(self, folder: Path, cache: RulesCache | None = None) -> None:
        self._top = _repository_of(folder)
        self._cache = cache or RulesCache()
        self._rules: dict[Path, IgnoreRules | None] = {}
        self._marked: dict[Path, bool] = {}

    def covers(self, path: Path, *, is_folder: bool = False) -> bool:
        """Check whether an absolute path is ignored, or is outside of the repository.

        A file whose name marks it as a backup, lock or copy is ignored if its original is.
        """
        if not path.is_relative_to(self._top):
            return True
        if any(map(self._is_marked, path.parents)):
            return True
        meant = [path] if is_folder else [path, *map(path.with_name, originals(path.name))]
        return any(self._ignores(each, is_folder=is_folder) for each in meant)

    def _ignores(self, path: Path, *, is_folder: bool) -> bool:
        above = [*reversed(path.parents)]
        return self._named(
            GIT_FILE, above[len(self._top.parts) - 1 :], path, is_folder=is_folder
        ) or self._named(ASSISTANT_FILE, above, path, is_folder=is_folder)

    def _named(self, file: str, folders: Sequence[Path], path: Path, *, is_folder: bool) -> bool:
        """Check the ignore files of one name in some folders, ordered from outermost to innermost.

        The innermost file that mentions a path decides; as in git, nothing in an ignored folder can be re-included.
        """
        merged: list[bool | None] = [None] * len(folders)
        for depth, folder in enumerate(folders):
            if rules := self._rules_at(folder / file):
                below = rules.verdicts(_as_bytes(path.relative_to(folder)) + "/" * is_folder)
                merged[depth:] = [
                    old if new is None else new for old, new in zip(merged[depth:], below, strict=True)
                ]
        return True in merged

    def _rules_at(self, path: Path) -> IgnoreRules | None:
        if path not in self._rules:
            self._rules[path] = self._cache.rules(path)
        return self._rules[path]

    def _is_marked(self, folder: Path) -> bool:
        if folder not in self._marked:
            self._marked[folder] = os.path.lexists(folder / MARKER)
        return self._marked[folder]


def _repository_of(folder: Path) -> Path:
    """Return the root of the git repository that contains a folder, else the folder."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _read(path: Path) -> IgnoreRules:
    try:
        data = read_plain_file(path, _MAX_BYTES)
    except OSError:
        data = None
    if data is None:
        return IgnoreRules([EVERYTHING])
    patterns = read_patterns(data.removeprefix(BOM_UTF8).decode("latin-1"))
    return IgnoreRules(patterns, ignore_case=_IGNORES_CASE)


def _as_bytes(path: Path) -> str:
    """Return a path's bytes as characters: git matches bytes, so `?` matches one byte of a non-ASCII letter."""
    return os.fsencode(path.as_posix()).decode("latin-1")
