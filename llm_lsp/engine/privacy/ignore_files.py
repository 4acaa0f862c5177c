"""Which files a project's own ignore files name.

Reads small files, so it is used in a thread.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from pathlib import Path

from llm_lsp.core.privacy.gitignore import EVERYTHING, IgnoreRules, read_patterns
from llm_lsp.system import read_plain_file

# Lists of globs in .gitignore syntax: git's, and the one that JetBrains' assistant reads
# (https://www.jetbrains.com/help/ai-assistant/disable-ai-assistant.html).
GLOB_FILES = (".gitignore", ".aiignore")
# A folder with this file is no assistant's business, with all below it; from the same page.
MARKER = ".noai"
# An ignore file is a page; what is larger is left unread, and the folder with it.
_MAX_BYTES = 1 << 18
# Folders above the workspace that are looked through for the repository's root.
_MAX_UP = 16


class IgnoreFiles:
    """The ignore files of one workspace folder as they are now; each is read once."""

    def __init__(self, folder: Path) -> None:
        self._top = _repository_of(folder)
        self._rules: dict[tuple[Path, str], IgnoreRules | None] = {}
        self._marked: dict[Path, bool] = {}

    def covers(self, path: Path, *, is_folder: bool = False) -> bool:
        """Say whether an absolute path below the folder is ignored, or stands outside of the repository."""
        try:
            parts = path.relative_to(self._top).parts
        except ValueError:
            return True
        folders = [self._top.joinpath(*parts[:depth]) for depth in range(len(parts))]
        if any(map(self._is_marked, folders)):
            return True
        return any(self._ignores(name, folders, parts, is_folder=is_folder) for name in GLOB_FILES)

    def _ignores(self, name: str, folders: list[Path], parts: tuple[str, ...], *, is_folder: bool) -> bool:
        """Check the files of one name: the nearest one that names a path overrules those above it.

        What stands in an ignored folder cannot be taken back, as in git.
        """
        merged: list[bool | None] = [None] * len(parts)
        for depth, folder in enumerate(folders):
            if rules := self._rules_of(folder, name):
                below = rules.verdicts(_as_bytes("/".join(parts[depth:])) + "/" * is_folder)
                merged[depth:] = [
                    old if new is None else new for old, new in zip(merged[depth:], below, strict=True)
                ]
        return True in merged

    def _rules_of(self, folder: Path, name: str) -> IgnoreRules | None:
        key = folder, name
        if key not in self._rules:
            self._rules[key] = _read(folder / name)
        return self._rules[key]

    def _is_marked(self, folder: Path) -> bool:
        if folder not in self._marked:
            self._marked[folder] = (folder / MARKER).exists()
        return self._marked[folder]


def _repository_of(folder: Path) -> Path:
    """Give the root of the git repository that a folder stands in, else the folder."""
    for parent in (folder, *folder.parents[:_MAX_UP]):
        if (parent / ".git").exists():
            return parent
    return folder


def _read(path: Path) -> IgnoreRules | None:
    """Read an ignore file; None if there is none. One that cannot be read ignores everything."""
    try:
        data = read_plain_file(path, _MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        data = None
    if data is None:
        return IgnoreRules([EVERYTHING])
    return IgnoreRules(read_patterns(data.removeprefix(BOM_UTF8).decode("latin-1")))


def _as_bytes(path: str) -> str:
    """Return a path's bytes as characters: git compares bytes, so that `?` is one byte of a letter beyond ASCII."""
    return os.fsencode(path).decode("latin-1")
