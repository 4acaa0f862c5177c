"""Determines when a task inside httpx may be cancelled without leaking a connection.

httpcore 1.0.9 loses a connection from its pool if the task is cancelled after the connection is made and before
the request's first byte, or while a finished connection is returned (encode/httpcore#1093; ADR 3). Remove this
module when a release of httpx fixes that.
"""

from __future__ import annotations

import asyncio


class CallStopped(Exception):
    """Raised in the request's task if it was stopped before the first byte was sent."""


class ConnectGate:
    """Cancels a task, once, and only while its request is waiting for the network on a connection.

    The gate is open from the request's first byte to the answer's headers, and from `open` until the answer is
    closed. A stop that is requested while the gate is shut happens when it opens, or not at all.
    """

    def __init__(self) -> None:
        self.reused = True
        """Whether the connection was used before; becomes false when a new one is started."""
        self.stopping = False
        self._task: asyncio.Task[None] | None = None
        self._is_open = False
        self._cancelled = False

    def guard(self, task: asyncio.Task[None]) -> None:
        """Set the task that runs the request."""
        self._task = task

    def stop(self) -> None:
        """End the request as soon as that is safe; returns at once, and may be called repeatedly."""
        self.stopping = True
        if self._is_open and not self._cancelled and self._task is not None:
            # A second cancellation could hit the cleanup of the first, with the same effect as one while connecting.
            self._cancelled = True
            self._task.cancel()

    def open(self) -> None:
        """Record that the answer's headers have arrived; raises CallStopped if a stop was requested."""
        if self.stopping:
            raise CallStopped
        self._is_open = True

    async def trace(self, event: str, info: object) -> None:
        """Follow the request's progress, as httpx's `trace` extension; event names are httpcore's."""
        match event.partition(".")[2]:
            case "connect_tcp.started" | "connect_unix_socket.started":
                self.reused = False
            case "send_request_headers.started":
                self.open()
            case "receive_response_headers.complete" | "response_closed.started":
                self._is_open = False
