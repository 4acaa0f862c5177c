"""Ends the process within a fixed time after it was told to, even if the event loop hangs.

The event loop or another thread may be stuck. So one thread waits for the end, and a timer of the interpreter,
which does not need the GIL, is the last resort.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Byte in the pipe for an end that no signal caused.
_TOLD = b"\0"
# Seconds until the interpreter's timer ends the process, if its threads do not run.
_LAST_RESORT_S = 1.0


class End(Protocol):
    """Starts the end of the server; may be called from any thread, any number of times."""

    def __call__(self, status: int, reason: str = "", /) -> object: ...


class ProcessEnd:
    """The end of this process: starts once, and exits after a grace period if the process has not exited by
    itself.
    """

    def __init__(self, grace_s: float, leave: Callable[[int], object] = os._exit) -> None:
        self._grace_s = grace_s
        self._leave = leave
        self._status = 1
        self._is_begun = False
        self._end: End = self.begin
        self._reading, self._writing = os.pipe()
        # A signal handler must not block on a full pipe.
        os.set_blocking(self._writing, False)
        threading.Thread(target=self._wait, name="lsp-end", daemon=True).start()

    def begin(self, status: int, reason: str = "") -> None:
        """Start the grace period; may be called from any thread and from a signal handler."""
        if self._is_begun:
            return
        self._is_begun, self._status = True, status
        with contextlib.suppress(OSError, ValueError):
            null = open(os.devnull, "wb")  # noqa: SIM115 # the timer writes to it until the process ends
            faulthandler.dump_traceback_later(self._grace_s + _LAST_RESORT_S, exit=True, file=null)
        os.write(self._writing, _TOLD)

    def end_on_signals(self, end: End) -> None:
        """Call `end` when the process receives a termination signal; in the main thread only. On Windows it
        just ends.
        """
        if sys.platform == "win32":
            return

        # The handler works while the main thread runs Python code. The pipe, to which the interpreter writes at once,
        # works while it is blocked, for example in a long regular expression.
        self._end = end
        for number in _SIGNALS:
            signal.signal(number, lambda number, frame: end(128 + number))
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def _wait(self) -> None:
        while (octet := os.read(self._reading, 1)) != _TOLD:
            if octet[0] in _SIGNALS:
                self._end(128 + octet[0])
        time.sleep(self._grace_s)
        self._leave(self._status)
