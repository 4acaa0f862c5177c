"""A connection is read in small pieces, so that the event loop has its turn between them."""

from __future__ import annotations

import httpx
import pytest

from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.providers.http import transport as transport_module
from llm_lsp.providers.http.transport import MAX_READ_BYTES, open_transport
from tests.providers.standin import Peer, Received, serve


async def test_no_more_is_read_at_once_than_is_worked_off_in_a_turn() -> None:
    body = bytes(10 * MAX_READ_BYTES)

    async def script(received: Received, peer: Peer) -> None:
        await peer.whole(body)

    async with serve(script) as standin:
        transport = open_transport(origin_of(standin.url))
        request = httpx.Request("GET", standin.url)
        response = await transport.handle_async_request(request)
        sizes = [len(piece) async for piece in response.aiter_raw()]
        await response.aclose()
        await transport.aclose()

    assert sum(sizes) == len(body)
    assert max(sizes) <= MAX_READ_BYTES


async def test_many_interim_answers_are_passed_over_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    stream = transport_module._SmallReads
    read = stream.read

    async def counted(self: object, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await read(self, max_bytes, timeout)  # type: ignore[arg-type] # `self` is one
        reads.append(len(data))
        return data

    monkeypatch.setattr(stream, "read", counted)

    async def script(received: Received, peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 103 Hints\r\n\r\n" * 2000)
        await peer.json({})

    async with serve(script) as standin:
        transport = open_transport(origin_of(standin.url))
        response = await transport.handle_async_request(httpx.Request("GET", standin.url))
        await response.aread()
        await response.aclose()
        await transport.aclose()

    assert response.status_code == 200
    assert max(reads) <= MAX_READ_BYTES
