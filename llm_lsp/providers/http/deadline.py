"""A deadline that moves while an answer arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `due` once, when the last allowed or the total time is over; in seconds, None is unlimited."""

    def __init__(self, due: Callable[[], None], total_s: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = due
        self._total_at = None if total_s is None else self._loop.time() + total_s
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def allow(self, delay_s: float | None) -> None:
        """Allow this many seconds from now; the total limit remains."""
        at = None if delay_s is None else self._loop.time() + delay_s
        self._at = min((t for t in (at, self._total_at) if t is not None), default=None)
        if self._at is not None and (self._timer is None or self._timer.when() > self._at):
            self.cancel()
            self._timer = self._loop.call_at(self._at, self._check)

    def cancel(self) -> None:
        """Cancel the deadline; `due` is not called any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        # The timer is moved here, not in each `allow`: most deadlines move again long before they are due.
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._timer = self._loop.call_at(self._at, self._check)
        else:
            self._due()
