"""When a task inside httpx may be cancelled without losing a place in its pool.

httpcore 1.0.9 loses a connection for good where a task is cancelled between the connection's making and the
request's first byte, or while a finished one is given back (encode/httpcore#1093; docs/adr/0003). Remove this
module when httpx has a release that mends it.
"""

from __future__ import annotations

import asyncio


class CallStopped(Exception):
    """Raised inside the request's task where a stop was asked for before the first byte was sent."""


class ConnectGate:
    """Cancels one task, once, and only while it waits for the network with its request on a connection.

    The gate is open from the request's first byte to the answer's head, and from `open` until the answer is
    closed. A stop that is asked for while it is shut is carried out as it opens, or not at all.
    """

    def __init__(self) -> None:
        self.reused = True
        """Whether the connection was an old one; false from the moment a new one is begun."""
        self.stopping = False
        self._task: asyncio.Task[None] | None = None
        self._is_open = False
        self._cancelled = False

    def guard(self, task: asyncio.Task[None]) -> None:
        """Record the task that runs the request."""
        self._task = task

    def stop(self) -> None:
        """End the request as soon as that is safe; returns at once, any number of times."""
        self.stopping = True
        if self._is_open and not self._cancelled and self._task is not None:
            # A second cancel could hit the clean-up of the first, which is as bad as one while connecting.
            self._cancelled = True
            self._task.cancel()

    def open(self) -> None:
        """Record that the answer's head has come; raises CallStopped if a stop was requested."""
        if self.stopping:
            raise CallStopped
        self._is_open = True

    async def trace(self, event: str, info: object) -> None:
        """Follow the request; for httpx's `trace` extension. Names are those of httpcore, with or without proxy."""
        match event.partition(".")[2]:
            case "connect_tcp.started" | "connect_unix_socket.started":
                self.reused = False
            case "send_request_headers.started":
                self.open()
            case "receive_response_headers.complete" | "response_closed.started":
                self._is_open = False
