"""Which files a project's own ignore files keep to themselves; knows no settings and no built-in list.

Reads small files, so it is used in a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llm_lsp.system import read_plain_file

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

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
        self._specs: dict[tuple[Path, str], GitIgnoreSpec | None] = {}
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
        # A file of a folder that is ignored cannot be taken back, as in git.
        return any(
            self._matches(
                name, folders[: depth + 1], parts[: depth + 1], is_folder=is_folder or depth + 1 < len(parts)
            )
            for name in GLOB_FILES
            for depth in range(len(parts))
        )

    def _matches(self, name: str, folders: list[Path], parts: tuple[str, ...], *, is_folder: bool) -> bool:
        """Ask the nearest ignore file first: it overrules those above it."""
        for depth in range(len(folders) - 1, -1, -1):
            spec = self._spec(folders[depth], name)
            if spec is None:
                continue
            verdict = spec.check_file("/".join(parts[depth:]) + "/" * is_folder).include
            if verdict is not None:
                return verdict
        return False

    def _spec(self, folder: Path, name: str) -> GitIgnoreSpec | None:
        key = folder, name
        if key not in self._specs:
            self._specs[key] = _read(folder / name)
        return self._specs[key]

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


def _read(path: Path) -> GitIgnoreSpec | None:
    """Read an ignore file; None where there is none, and all is ignored where it cannot be read."""
    from pathspec import GitIgnoreSpec

    try:
        data = read_plain_file(path, _MAX_BYTES)
        if data is None:
            return GitIgnoreSpec.from_lines(["*"])
        return GitIgnoreSpec.from_lines(data.decode("utf-8-sig", "replace").splitlines())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):  # a glob that pathspec cannot read is a ValueError
        return GitIgnoreSpec.from_lines(["*"])
