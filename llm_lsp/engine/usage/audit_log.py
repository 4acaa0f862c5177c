"""Collects the lines of the audit file, and appends them in batches in a thread; completions never wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.usage.audit import audit_line
from llm_lsp.core.usage.records import CallRecord
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.clock import Clock, InThread, Timer
from llm_lsp.errors import BooksError

AppendLines = Callable[[str, Sequence[str]], int]
"""Appends lines to a file: (path, lines) -> how many were written, if not all. Blocks; raises BooksError if none was."""

# Seconds until a call's line is written, and until a retry after a failure, as in the ledger.
SOON_S = 0.1
RETRY_S = 30.0
# Lines kept while they cannot be written; the oldest are dropped first.
MOST_PENDING = 10_000
AUDIT_CAUSE = "audit"


class AuditLog:
    """Records remote calls in the file that the settings name; one per process."""

    def __init__(
        self,
        append: AppendLines | None,
        notifications: Notifications,
        clock: Clock,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        self._append = append
        self._notifications = notifications
        self._clock = clock
        self._in_thread = in_thread
        self._file = ""
        self._lines: list[str] = []
        self._timer: Timer | None = None
        self._writing: asyncio.Task[None] | None = None

    def configure(self, file: str) -> None:
        """Use this file from now on; "" records nothing."""
        self._file = file
        if not file:
            self._lines.clear()

    def record(self, call: CallRecord, profile: Profile) -> None:
        """Record a call that has ended, if it went to a remote provider."""
        if not self._file or self._append is None or profile.local:
            return
        self._lines = [*self._lines, audit_line(call, profile.origin)][-MOST_PENDING:]
        self._write_within(SOON_S)

    async def aclose(self) -> None:
        """Write everything that is left."""
        if self._writing:
            await self._writing
        if self._timer:
            self._timer.cancel()
        await self._write()
        if self._timer:
            self._timer.cancel()  # set for the retry of a failed write

    def _write_within(self, delay_s: float) -> None:
        if self._timer is None and self._writing is None:
            self._timer = self._clock.call_at(self._clock.now() + delay_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        delay_s = SOON_S
        if self._lines and self._file and self._append is not None:
            lines, file, self._lines = self._lines, self._file, []
            try:
                n_written = await self._in_thread(partial(self._append, file, lines))
                self._notifications.over(AUDIT_CAUSE)
            except BooksError as exc:
                n_written, delay_s = 0, RETRY_S
                self._notifications.say(
                    AUDIT_CAUSE, "warning", f"calls are not recorded in the audit file: {exc}"
                )
            self._lines = [*lines[n_written:], *self._lines][-MOST_PENDING:]
        self._writing = None
        if self._lines:
            self._write_within(delay_s)
