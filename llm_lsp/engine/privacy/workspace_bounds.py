"""Which documents and files may be used as context for another one, and the paths a model sees for them.

Checks links and ignore files on disk, so it runs in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from llm_lsp.core.context.ranking import LeftOut
from llm_lsp.core.privacy.document_paths import readings
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.engine.privacy.hard_links import has_other_names
from llm_lsp.engine.privacy.ignore_files import IgnoreFiles, RulesCache
from llm_lsp.system import path_of_uri


class WorkspaceBounds:
    """What may be used for a document: its own workspace folder, without excluded and ignored files."""

    def __init__(
        self, uri: str, folder: Path | None, exclusion: Exclusion, cache: RulesCache | None = None
    ) -> None:
        self._uri = uri
        self._folder = folder
        self._real = folder.resolve() if folder else None
        self._ignored = IgnoreFiles(self._real, cache) if self._real else None
        self._exclusion = exclusion
        self.target = path_of_uri(uri) if folder else None
        """The document's file, None if it is in no workspace folder."""
        self._real_target = self.target.resolve() if self.target else None
        self.path = self._relative(uri) or ""
        """The document's path relative to its folder, "" if it is in none."""
        self.left_out: list[LeftOut] = []
        self._names: dict[str, str | None] = {}

    @classmethod
    def around(
        cls, uri: str, folders: Iterable[str], exclusion: Exclusion, cache: RulesCache | None = None
    ) -> WorkspaceBounds:
        """Use the innermost workspace folder (given as URIs) that contains a document."""
        path = path_of_uri(file_uri(uri))
        roots = (root for each in folders if (root := path_of_uri(each)))
        return cls(uri, innermost(roots, path) if path else None, exclusion, cache)

    def name(self, uri: str) -> str | None:
        """Return the folder-relative path of a document or file that may be used; None for any other."""
        if uri not in self._names:
            self._names[uri] = self._judged(uri)
        return self._names[uri]

    def path_to(self, relative: str) -> Path | None:
        """Return a relative path within the folder as a path; None if the document is in no folder."""
        return self._folder / relative if self._folder else None

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
        path = path_of_uri(file_uri(uri))
        if path is None or self._folder is None or not path.is_relative_to(self._folder):
            return None
        return path.relative_to(self._folder).as_posix()

    def _refusal(self, uri: str, relative: str) -> str:
        assert self._real is not None and self._ignored is not None
        path = self._real / relative
        try:
            real = path.resolve()
        except (OSError, RuntimeError):
            return "its links are circular"
        if real == self._real_target:
            return "it is the document itself"
        if not real.is_relative_to(self._real):
            return "it is outside of the workspace"
        if self._exclusion.covers(uri) or self._exclusion.covers(real.as_uri()):
            return "it is excluded"
        if has_other_names(real):
            return "it has another name on disk"
        if len(readings(uri)) > 1:
            return "its address can be read in several ways"
        if self._exclusion.heeds_ignore_files and (self._ignored.covers(path) or self._ignored.covers(real)):
            return "the project's ignore files exclude it"
        return ""


def innermost(folders: Iterable[Path], path: Path) -> Path | None:
    """Return the innermost of some folders that contains a path, or None."""
    holding = (folder for folder in folders if path.is_relative_to(folder))
    return max(holding, key=lambda folder: len(folder.parts), default=None)


def file_uri(uri: str) -> str:
    """Return the file that contains a notebook cell; other URIs unchanged."""
    scheme, mark, rest = uri.partition(":")
    return f"file:{rest.partition('#')[0]}" if scheme.endswith("-cell") else scheme + mark + rest


def _last_part(uri: str) -> str:
    return uri.rpartition("/")[2]
