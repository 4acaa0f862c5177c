"""One deadline that moves as an answer comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `due` once when the time allowed last is over, or the total is; all in seconds, None is for ever."""

    def __init__(self, due: Callable[[], None], total_s: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = due
        self._total_at = None if total_s is None else self._loop.time() + total_s
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def allow(self, delay_s: float | None) -> None:
        """Allow this much from now for what comes next; the total stands."""
        at = None if delay_s is None else self._loop.time() + delay_s
        self._at = min((t for t in (at, self._total_at) if t is not None), default=None)
        if self._at is not None and (self._timer is None or self._timer.when() > self._at):
            self.cancel()
            self._timer = self._loop.call_at(self._at, self._check)

    def cancel(self) -> None:
        """Let the time run; nothing is called any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        # The timer is moved here, not at each `allow`: most limits are moved long before they are due.
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._timer = self._loop.call_at(self._at, self._check)
        else:
            self._due()
