"""The indentation that .editorconfig files define for open documents; read in a thread, known at a keystroke."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llm_lsp.engine.clock import InThread
from llm_lsp.errors import InternalError
from llm_lsp.system import path_of_uri, read_plain_file

if TYPE_CHECKING:
    from llm_lsp.core.text.editor_config import EditorConfig

LOG = logging.getLogger(__name__)

EDITOR_CONFIG = ".editorconfig"
# Bytes. A real file has a page.
MAX_BYTES = 1 << 16
# Parent folders that are searched.
MAX_UP = 16


class StatedIndents:
    """One indentation step for each open document."""

    def __init__(self, in_thread: InThread) -> None:
        self._in_thread = in_thread
        self._units: dict[str, str] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._stale: set[str] = set()

    def unit(self, uri: str) -> str:
        """Return the text of one indentation step; "" if no file defines it, or the files are not read yet."""
        return self._units.get(uri, "")

    def look(self, uri: str) -> None:
        """Start to read the files that apply to a document."""
        self._units.setdefault(uri, "")
        self._stale.add(uri)
        if uri not in self._looks:
            self._looks[uri] = asyncio.create_task(self._look(uri))

    async def known(self, uri: str) -> None:
        """Wait until the files that apply to a document were read."""
        if look := self._looks.get(uri):
            await asyncio.wait([look])

    def look_again(self) -> None:
        """Read the files of all open documents again, since one may have changed."""
        for uri in self._units:
            self.look(uri)

    def closed(self, uri: str) -> None:
        """Forget a document."""
        self._units.pop(uri, None)

    async def aclose(self) -> None:
        """Cancel all reading."""
        looks = [*self._looks.values()]
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def _look(self, uri: str) -> None:
        unit = ""
        try:
            while uri in self._stale:
                self._stale.discard(uri)
                unit = await self._in_thread(partial(_read_unit, uri))
        except Exception as exc:
            LOG.error("an .editorconfig was not read: %s", InternalError.of(exc))
            return
        finally:
            del self._looks[uri]
        if uri in self._units:
            self._units[uri] = unit


def _read_unit(uri: str) -> str:
    from llm_lsp.core.text.editor_config import stated_unit

    path = path_of_uri(uri)
    if path is None:
        return ""
    found = []
    for folder in path.parents[:MAX_UP]:
        config = _read(folder / EDITOR_CONFIG)
        if config is None:
            continue
        found.append(config.keys(path.relative_to(folder).as_posix()))
        if config.is_root:
            break
    return stated_unit(reversed(found))


def _read(path: Path) -> EditorConfig | None:
    """Read a file; None if it is missing or cannot be read."""
    from llm_lsp.core.text.editor_config import read_editor_config

    try:
        data = read_plain_file(path, MAX_BYTES)
    except (OSError, ValueError):
        return None
    return None if data is None else read_editor_config(data.decode("utf-8", "replace"))
