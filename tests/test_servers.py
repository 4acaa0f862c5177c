"""The tests' own servers leave nothing behind, whenever their block ends."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import trustme

from tests.providers.standin import server_context
from tests.servers import Handler, listening, listening_in_threads


@pytest.fixture
def leaks() -> Iterator[list[str]]:
    """What the garbage collector complained of."""
    gc.collect()
    seen: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield seen
        gc.collect()
    assert [str(each.message) for each in caught] == []


async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.get_running_loop().create_future()


async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"x" * (8 << 20))
    await writer.drain()


HANDLERS = [
    pytest.param(waits, id="that waits for ever"),
    pytest.param(reads, id="that reads on"),
    pytest.param(floods, id="that writes more than is read"),
]


@pytest.mark.usefixtures("leaks")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("handle", HANDLERS)
def test_a_connection_that_has_just_been_made_is_closed(handle: Handler, turns: int, tls: bool) -> None:
    context = server_context(trustme.CA().issue_cert("localhost")) if tls else None
    asyncio.run(_connect_and_leave(handle, turns, context))


async def _connect_and_leave(handle: Handler, turns: int, tls: ssl.SSLContext | None) -> None:
    async with listening(handle, tls=tls) as port:
        # Of no event loop: the kernel makes the connection, and then the server has the turns.
        client = socket.create_connection(("127.0.0.1", port))
        for _ in range(turns):
            await asyncio.sleep(0)
    client.close()


class Keeping(BaseHTTPRequestHandler):
    """Answers, and keeps the connection open for more."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.mark.usefixtures("leaks")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="that has asked nothing"),
        pytest.param(b"GET / HT", id="in the middle of its request"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="that is kept open"),
    ],
)
def test_a_threads_connection_is_closed(sent: bytes) -> None:
    with listening_in_threads(Keeping) as port:
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(sent)
        if sent.endswith(b"\r\n\r\n"):
            assert client.recv(4096)
    client.close()
