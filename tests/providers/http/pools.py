"""Looks into httpx's pool of connections, whose leaks no public name shows."""

import httpcore
import httpx

from llm_lsp.providers.http.provider import HttpProvider


def pool(provider: HttpProvider) -> httpcore.AsyncConnectionPool:
    transport = provider._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    assert isinstance(transport._pool, httpcore.AsyncConnectionPool)
    return transport._pool
