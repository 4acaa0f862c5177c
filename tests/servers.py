"""Servers on loopback for tests: each has closed all that it accepted when its block ends.

A connection that a server leaves open is reported by the garbage collector, in whichever test that happens to run.
So the end of a block waits for every accepted socket, also one whose handler has not begun, and collects garbage:
a leak fails the test that made it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Listener(socket.socket):
    """A listening socket that remembers what it accepted.

    On Windows the event loop accepts by itself, and nothing is remembered.
    """

    def __init__(self) -> None:
        # With its protocol named, or asyncio would not switch off the delay of small packets (TCP_NODELAY).
        super().__init__(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.accepted: list[socket.socket] = []
        if os.name == "posix":
            # So that another server can have the port as soon as this one has ended.
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.bind(("127.0.0.1", 0))

    def accept(self) -> tuple[socket.socket, object]:
        connection, address = super().accept()
        self.accepted.append(connection)
        return connection, address

    def hang_up(self) -> bool:
        """Break off what is still open; return whether anything was."""
        still_open = [each for each in self.accepted if each.fileno() >= 0]
        for each in still_open:
            with contextlib.suppress(OSError):  # already broken off
                each.shutdown(socket.SHUT_RDWR)
        return bool(still_open)


@asynccontextmanager
async def listening(
    handle: Handler, backlog: int = 100, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Handle each connection, and yield the port; at the end, cancel what is being handled."""
    handling: set[asyncio.Task[None]] = set()
    closing: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handling.add(task)
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Cancelled below; the callback of asyncio's streams cannot bear a cancelled task.
            pass
        finally:
            handling.discard(task)
            closing.add(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            closing.discard(task)

    listener = _Listener()
    server = await asyncio.start_server(accept, sock=listener, backlog=backlog, ssl=tls)
    try:
        yield listener.getsockname()[1]
    finally:
        # What was accepted last gets its handler some turns of the loop later, with TLS when the handshake is over.
        # Only then: a server of Python 3.11 that is closed before leaves the socket open.
        while listener.hang_up() or handling or closing:
            for task in handling:
                if not task.cancelling():
                    task.cancel()
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()
        gc.collect()


class _ThreadedServer(ThreadingHTTPServer):
    """A server in threads, which remembers what it accepted."""

    daemon_threads = False  # so that closing waits for them
    request_queue_size = 100

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._accepted: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self._accepted.append(connection)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client that hangs up early has what it wants."""

    def server_close(self) -> None:
        for each in self._accepted:
            with contextlib.suppress(OSError):  # already closed
                each.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextmanager
def listening_in_threads(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Handle each connection in a thread of its own, for callers without an event loop; yield the port."""
    with _ThreadedServer(handler) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()
    gc.collect()
