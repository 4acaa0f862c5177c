"""The source files in a repository that may be measured: those that may be sent and are not generated."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.text.language_ids import language_for_path
from llm_lsp.core.text.text import Text
from llm_lsp.engine.context.source_files import FileReader, UnusableFile
from llm_lsp.engine.privacy.ignore_files import IgnoreFiles
from llm_lsp.evaluation.corpus.hole_selection import CorpusFile

# Not code; measured only if the language is named explicitly.
NOT_CODE = frozenset(
    {
        "css",
        "diff",
        "html",
        "ini",
        "json",
        "jsonc",
        "latex",
        "less",
        "markdown",
        "plaintext",
        "scss",
        "toml",
        "xml",
        "yaml",
    }
)
# Folders of third-party code that many repositories do not ignore.
SKIPPED = frozenset(
    {"node_modules", "vendor", "third_party", "site-packages", "__pycache__", "dist", "build"}
)
# Limit on file names, so that scanning a huge folder such as a home ends.
MAX_NAMES = 200_000


class Repository:
    """A folder's source files, as completion sees them."""

    def __init__(self, root: Path, exclusion: Exclusion, languages: Collection[str] = ()) -> None:
        self.root = root
        self._exclusion = exclusion
        self.languages = languages
        self._ignored = IgnoreFiles(root)
        self._files = FileReader()

    @property
    def is_ignored_as_a_whole(self) -> bool:
        """Whether an outer repository ignores the folder, such as a package in a project's `.venv`."""
        return self._is_ignored(self.root, is_folder=True)

    def paths(self) -> list[str]:
        """List the paths of source files, relative to the root; symbolic links are not followed."""
        return sorted(self._walk())

    def may_measure(self, path: str) -> bool:
        """Check whether a relative path is source code that may be measured; the file need not exist any more."""
        file = self.root / path
        folders = [
            folder for folder in file.parents if folder != self.root and folder.is_relative_to(self.root)
        ]
        return (
            self._is_wanted(language_for_path(path))
            and all(map(self._is_entered, folders))
            and self._may_be_sent(file)
        )

    def read(self, path: str) -> CorpusFile | None:
        """Read a file; None if it cannot be read or is generated."""
        found = self._files.read(self.root / path, path)
        if isinstance(found, UnusableFile) or found.is_generated:
            return None
        return CorpusFile(path, found.piece.language, Text.of("".join(found.piece.lines)))

    def _walk(self) -> Iterator[str]:
        n_names = 0
        for folder, folders, names in os.walk(self.root):
            n_names += len(folders) + len(names)
            if n_names > MAX_NAMES:
                return
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._is_entered(here / name))
            for name in names:
                if self._is_wanted(language_for_path(name)) and self._may_be_sent(here / name):
                    yield (here / name).relative_to(self.root).as_posix()

    def _is_wanted(self, language: str) -> bool:
        return language in self.languages if self.languages else bool(language) and language not in NOT_CODE

    def _is_entered(self, folder: Path) -> bool:
        return (
            not folder.name.startswith(".")
            and folder.name not in SKIPPED
            and not self._is_ignored(folder, is_folder=True)
        )

    def _may_be_sent(self, file: Path) -> bool:
        return not (file.is_symlink() or self._exclusion.covers(file.as_uri()) or self._is_ignored(file))

    def _is_ignored(self, path: Path, *, is_folder: bool = False) -> bool:
        return self._exclusion.heeds_ignore_files and self._ignored.covers(path, is_folder=is_folder)
