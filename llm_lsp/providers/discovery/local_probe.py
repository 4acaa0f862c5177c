"""Short requests to a server on this machine.

Each conversation has its own connections, so that cancelling it affects no others.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.providers.dialects.json_shapes import as_map, decode, encode
from llm_lsp.providers.http.answer_decoder import is_encoded
from llm_lsp.providers.http.peer_check import PeerCheck
from llm_lsp.providers.http.provider import headers_of
from llm_lsp.providers.http.transport import open_transport

if TYPE_CHECKING:
    import httpx

# Ollama's list has a few hundred bytes per model; no laptop has more than a thousand models.
MAX_REPLY_BYTES = 1 << 20
# Limit on brackets, commas and quotes in a reply, six times as many as in the longest hosted list.
MAX_REPLY_PARTS = 1 << 18


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """A server's reply; `status` 0 means that there was none."""

    status: int = 0
    body: Mapping[str, object] = field(default_factory=dict)
    """Empty if the body is not a JSON object."""
    server: str = ""
    """The `Server` header in lower case."""


class ProbeConversation:
    """Requests to one server."""

    def __init__(
        self,
        base_url: str,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        ca_file: str = "",
        peer: PeerCheck | None = None,
    ) -> None:
        """`headers` are sent with every request; without them, no key is sent."""
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = headers_of(None, {}) if headers is None else headers
        self._transport = open_transport(origin_of(base_url), ca_file, peer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def get(self, path: str) -> ProbeReply:
        """Send a request; any failure counts as no reply."""
        return await self._ask("GET", path, b"")

    async def post(self, path: str, body: Mapping[str, object]) -> ProbeReply:
        """Send a request with a body; any failure counts as no reply."""
        return await self._ask("POST", path, encode(body))

    async def _ask(self, method: str, path: str, body: bytes) -> ProbeReply:
        import httpx

        with contextlib.suppress(httpx.HTTPError, ValueError):
            async with self._answer(method, path, body) as response:
                return await _reply(response)
        return ProbeReply()

    @asynccontextmanager
    async def _answer(self, method: str, path: str, body: bytes) -> AsyncIterator[httpx.Response]:
        import httpx

        url = self._base_url + path
        extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)}
        request = httpx.Request(method, url, headers=self._headers, content=body, extensions=extensions)
        response = await self._transport.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()


async def _reply(response: httpx.Response) -> ProbeReply:
    server = response.headers.get("server", "").lower()
    body = bytearray()
    if not is_encoded(response.headers):
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_REPLY_BYTES:
                return ProbeReply(response.status_code, server=server)
    try:
        return ProbeReply(response.status_code, as_map(decode(bytes(body), MAX_REPLY_PARTS)), server)
    except ValueError:
        return ProbeReply(response.status_code, server=server)
