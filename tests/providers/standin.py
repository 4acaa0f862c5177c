"""A model API on loopback that does what a test says, byte by byte; counts connections and sees hang-ups."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.servers import listening

if TYPE_CHECKING:
    import trustme


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


@dataclass
class Peer:
    """One connection, from the server's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    requests: int = 0

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def stream(self, *events: bytes, kind: str = "text/event-stream") -> None:
        """Begin a chunked answer."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await self.send(head.encode(), *map(chunked, events))

    async def more(self, *events: bytes) -> None:
        await self.send(*map(chunked, events))

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def whole(self, body: bytes, status: int = 200, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def json(self, value: object, status: int = 200, **headers: str) -> None:
        await self.whole(json.dumps(value).encode(), status, Content_Type="application/json", **headers)

    async def hung_up(self) -> None:
        """Wait until the client closes the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(4096):
                pass

    def cut_gently(self) -> None:
        """Close the connection when all is sent."""
        self.writer.close()

    def cut(self) -> None:
        """Break the connection off."""
        self.writer.transport.abort()


Script = Callable[[Received, Peer], Awaitable[None]]


@dataclass
class StandIn:
    url: str = ""
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no connection is open."""


@asynccontextmanager
async def serve(
    script: Script, backlog: int = 100, tls: ssl.SSLContext | None = None
) -> AsyncIterator[StandIn]:
    """Answer every request by `script` until the block ends; as https if `tls` is given."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        standin.connections += 1
        standin.open_now += 1
        standin.idle.clear()
        peer = Peer(reader, writer)
        try:
            while received := await _receive(reader):
                peer.requests += 1
                standin.received.append(received)
                await script(received, peer)
        finally:
            standin.open_now -= 1
            if not standin.open_now:
                standin.idle.set()

    standin = StandIn()
    async with listening(handle, backlog, tls) as port:
        standin.port = port
        standin.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        yield standin


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)


@asynccontextmanager
async def delayed(port: int, latency_s: float) -> AsyncIterator[int]:
    """Yield a port that leads to another one, each way this much later."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(relayed(reader, to_writer, latency_s), relayed(to_reader, writer, latency_s))
        finally:
            with contextlib.suppress(ConnectionError):
                await to_writer.wait_closed()

    async with listening(relay) as relaying:
        yield relaying


async def relayed(source: asyncio.StreamReader, target: asyncio.StreamWriter, latency_s: float = 0) -> None:
    """Pass bytes on; what came while it waited goes with them."""
    try:
        while data := await source.read(65536):
            await asyncio.sleep(latency_s)
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return what a server needs to present a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def sse(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def text(piece: str, finish: str | None = None) -> bytes:
    """One event of the completions API."""
    return sse({"choices": [{"index": 0, "text": piece, "finish_reason": finish}]})


DONE = b"data: [DONE]\n\n"


def pages(answers: dict[str, object], server: str = "", status: Iterable[tuple[str, int]] = ()) -> Script:
    """Answer GETs and POSTs by path with JSON, 404 elsewhere."""
    codes = dict(status)

    async def script(received: Received, peer: Peer) -> None:
        headers = {"Server": server} if server else {}
        if received.path in answers:
            await peer.json(answers[received.path], codes.get(received.path, 200), **headers)
        else:
            await peer.json({"error": "not found"}, 404, **headers)

    return script
