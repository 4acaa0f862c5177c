"""Rereads the settings files when they may have changed; in a thread, and never at a keystroke."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from llm_lsp.config.settings_layers import Layer, SettingsStack
from llm_lsp.engine.clock import Clock, InThread, Timer

# Seconds to wait after a client's file event: an editor may truncate a file first and write it afterwards.
SETTLE_S = 0.2
# Seconds within which a manual request does not check again: no user edits, saves and requests faster, and a repeated
# request is then answered without a thread.
FRESH_S = 1.0
# Seconds that a manual request waits for the check, which takes well below a millisecond on a local disk.
MOST_WAIT_S = 0.2


class SettingsFileReader(Protocol):
    """The settings files on disk."""

    def watched(self) -> tuple[Path, ...]:
        """Return the files outside of workspace folders that a client may watch."""
        ...

    def reread(self, stack: SettingsStack, folders: tuple[str, ...]) -> tuple[Layer, ...] | None:
        """Return the layers of all files if one has changed since it was read, else None; blocks."""
        ...


class SettingsReloader:
    """Checks for changed settings files; one check at a time, and another if it is requested meanwhile."""

    def __init__(
        self,
        reader: SettingsFileReader | None,
        current: Callable[[], tuple[SettingsStack, tuple[str, ...]]],
        use: Callable[[tuple[Layer, ...]], None],
        clock: Clock,
        in_thread: InThread,
    ) -> None:
        self._reader = reader
        self._current = current
        self._use = use
        self._clock = clock
        self._in_thread = in_thread
        self._look: asyncio.Task[None] | None = None
        self._looks_again = False
        self._looked_at = float("-inf")
        self._timer: Timer | None = None

    def look(self) -> None:
        """Start to check whether a settings file has changed, and use its new content."""
        if self._reader is None:
            return
        self._looks_again = True
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._run(self._reader))

    def look_soon(self) -> None:
        """Check shortly after a file event, since the writing may not have ended."""
        if self._timer:
            self._timer.cancel()
        self._timer = self._clock.call_at(self._clock.now() + SETTLE_S, self.look)

    async def looked(self) -> None:
        """Check, and wait until the settings are in use or MOST_WAIT_S have passed; skip it right after another."""
        if self._clock.now() < self._looked_at + FRESH_S:
            return
        self.look()
        if self._look:
            await asyncio.wait([self._look], timeout=MOST_WAIT_S)

    async def aclose(self) -> None:
        """Cancel the check."""
        if self._timer:
            self._timer.cancel()
        if self._look:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)

    async def _run(self, reader: SettingsFileReader) -> None:
        while self._looks_again:
            self._looks_again = False
            self._looked_at = self._clock.now()
            layers = await self._in_thread(partial(reader.reread, *self._current()))
            if layers is not None:
                self._use(layers)
