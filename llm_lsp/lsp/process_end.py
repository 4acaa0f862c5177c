"""Ends the process some time after it was told to, whether or not the event loop still turns.

What may stand still is our own code in the loop, or a thread that is stuck: so one thread waits for the end, and a
timer of the interpreter's own, which needs no lock of it, is the last resort.
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
# Octet in the pipe that stands for no signal.
_TOLD = b"\0"
# Seconds after which the interpreter's timer ends a process whose threads get no turn.
_LAST_RESORT_S = 1.0


class End(Protocol):
    """Begins the end of the server; callable from any thread, any number of times."""

    def __call__(self, status: int, reason: str = "", /) -> object: ...


class ProcessEnd:
    """The exit of this process: begun once, carried out after a grace period unless the process has left before."""

    def __init__(self, grace_s: float, leave: Callable[[int], object] = os._exit) -> None:
        self._grace_s = grace_s
        self._leave = leave
        self._status = 1
        self._is_begun = False
        self._end: End = self.begin
        self._reading, self._writing = os.pipe()
        # A signal's handler must not wait for room in the pipe.
        os.set_blocking(self._writing, False)
        threading.Thread(target=self._wait, name="lsp-end", daemon=True).start()

    def begin(self, status: int, reason: str = "") -> None:
        """Begin the grace period; callable from any thread and from a signal's handler."""
        if self._is_begun:
            return
        self._is_begun, self._status = True, status
        with contextlib.suppress(OSError, ValueError):
            null = open(os.devnull, "wb")  # noqa: SIM115 # the timer's, until the process has ended
            faulthandler.dump_traceback_later(self._grace_s + _LAST_RESORT_S, exit=True, file=null)
        os.write(self._writing, _TOLD)

    def end_on_signals(self, end: End) -> None:
        """Call `end` when the process is asked to end; in the main thread. Windows ends it at once by itself."""
        if sys.platform == "win32":
            return

        # The handler is for a main thread that runs, also within a long regular expression; the pipe, which the
        # interpreter writes to at once, is for one that waits.
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
