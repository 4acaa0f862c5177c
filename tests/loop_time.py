"""An event loop whose time is its own: the processor time of the process, and what it waited because it was asked to.

On a busy machine a process is left standing for seconds. To a deadline that is time, and the call that it bounds has
done nothing in it. In this loop a deadline of 30 ms stands for 30 ms of work and waiting, on whatever machine.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time


class _CountingSelector(selectors.DefaultSelector):
    """Counts what was waited, and of a longer wait only as much as was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        ready = super().select(timeout)
        took_s = time.monotonic() - began
        self.waited_s += took_s if timeout is None else min(took_s, max(timeout, 0.0))
        return ready


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """Runs on its own time."""

    def __init__(self) -> None:
        self._counting = _CountingSelector()
        super().__init__(self._counting)

    def time(self) -> float:
        return time.process_time() + self._counting.waited_s


def new_loop() -> asyncio.AbstractEventLoop:
    """Make the loop of a test; on Windows the usual one, which has no selector."""
    return asyncio.new_event_loop() if sys.platform == "win32" else OwnTimeLoop()


def put_forward(seconds: float) -> None:
    """Put the running loop's clock forward: what is due by then is due in its next turn."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign] # its timers look at the attribute
