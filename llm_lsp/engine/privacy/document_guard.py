"""Which open documents must not be sent to a model. Files are checked in a thread, so that requests need not
wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from llm_lsp.core.privacy.document_paths import readings
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.clock import InThread
from llm_lsp.engine.privacy.hard_links import has_other_names
from llm_lsp.engine.privacy.ignore_files import IgnoreFiles, RulesCache
from llm_lsp.engine.privacy.workspace_bounds import innermost
from llm_lsp.errors import InternalError
from llm_lsp.system import path_of_uri

LOG = logging.getLogger(__name__)

# Seconds after which a request starts a new check, while it uses the last result: a changed ignore file takes effect
# from the second keystroke on.
FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class DiskFindings:
    """What the file system says about a document's file."""

    real_uris: tuple[str, ...] = ()
    """Where its symbolic links lead; several if its URI can be read in several ways."""
    is_ignored: bool = False
    is_lost: bool = False
    """Whether that is unknown: circular links, or a folder that may not be entered."""
    has_other_names: bool = False
    """Whether other hard links to it exist."""


class DocumentGuard:
    """The findings about every open document."""

    def __init__(self, now: Callable[[], float], in_thread: InThread) -> None:
        self._now = now
        self._in_thread = in_thread
        self._folders: tuple[str, ...] = ()
        self._found: dict[str, DiskFindings] = {}
        self._looked_at: dict[str, float] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._rules = RulesCache()

    def set_folders(self, folders: tuple[str, ...]) -> None:
        """Use these workspace folders (URIs); earlier findings are discarded and looked up again."""
        self._folders = folders
        self._found.clear()
        for uri in self._looked_at:
            self.look(uri)

    def is_known(self, uri: str) -> bool:
        """Check whether a document was examined; if that is long ago, start to examine it again."""
        if self._looked_at.get(uri, float("-inf")) + FRESH_S < self._now():
            self.look(uri)
        return uri in self._found

    def look(self, uri: str) -> None:
        """Start to examine a document's file."""
        self._looked_at[uri] = self._now()
        if uri not in self._looking:
            self._looking[uri] = asyncio.create_task(self._look(uri))

    async def known(self, uri: str) -> None:
        """Wait until a document was examined."""
        if not self.is_known(uri):
            await asyncio.shield(self._looking[uri])

    def refusal(self, uri: str, exclusion: Exclusion) -> Skip | None:
        """Return why nothing of a document may be sent, or None; an unexamined document may not."""
        if exclusion.covers(uri):
            return Skip(Reason.EXCLUDED)
        found = self._found.get(uri)
        if found is None:
            return Skip(Reason.EXCLUDED, "its file is still being checked")
        if found.is_lost:
            return Skip(Reason.EXCLUDED, "its location on disk is unknown")
        if any(map(exclusion.covers, found.real_uris)):
            return Skip(Reason.EXCLUDED, "it links to an excluded file")
        if found.is_ignored and exclusion.heeds_ignore_files:
            return Skip(Reason.EXCLUDED, "its project's ignore files exclude it")
        return None

    def remote_refusal(self, uri: str) -> Skip | None:
        """Return why nothing of a document may be sent to another machine, or None.

        For documents that `refusal` allows.
        """
        found = self._found.get(uri)
        if found is None or not found.has_other_names:
            return None
        return Skip(
            Reason.EXCLUDED, "its file has another name on disk, so it is not sent to remote providers"
        )

    def closed(self, uri: str) -> None:
        """Forget a document."""
        self._found.pop(uri, None)
        self._looked_at.pop(uri, None)

    async def aclose(self) -> None:
        """Stop examining files."""
        looking = [*self._looking.values()]
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    async def _look(self, uri: str) -> None:
        try:
            folders = None
            while folders is not self._folders:
                folders = self._folders
                found = await self._in_thread(partial(_find, uri, folders, self._rules))
        except Exception as exc:
            LOG.error("a file could not be examined: %s", InternalError.of(exc))
            found = DiskFindings(is_lost=True)
        finally:
            del self._looking[uri]
        if uri in self._looked_at:
            self._found[uri] = found


def _find(uri: str, folders: Iterable[str], cache: RulesCache) -> DiskFindings:
    roots = [root for each in folders if (root := path_of_uri(each))]
    try:
        paths = [*_paths_of(uri)]
        reals = [path.resolve() for path in paths]
        roots += [root.resolve() for root in roots]
    except (OSError, RuntimeError, ValueError):
        return DiskFindings(is_lost=True)
    return DiskFindings(
        tuple(real.as_uri() for real in reals),
        is_ignored=any(_is_ignored(each, roots, cache) for each in {*paths, *reals}),
        has_other_names=any(map(has_other_names, reals)),
    )


def _paths_of(uri: str) -> Iterator[Path]:
    """Yield the files on this machine that a document's URI can mean."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        return
    for reading in readings(uri):
        name = os.fsdecode(reading.encode("utf-8", "surrogateescape"))
        path = Path(re.sub(r"^/(?=[A-Za-z]:)", "", name))
        if path.is_absolute() and "\0" not in reading:
            yield path


def _is_ignored(path: Path, roots: Iterable[Path], cache: RulesCache) -> bool:
    return IgnoreFiles(innermost(roots, path) or path.parent, cache).covers(path)
