"""Connections to one origin; imported for the first connection, because httpx takes a while to import."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from llm_lsp.core.privacy.addresses import Origin
from llm_lsp.errors import ConfigError
from llm_lsp.port_owners import socket_account
from llm_lsp.providers.http.peer_check import PeerCheck
from llm_lsp.providers.http.tls import client_context

# Seconds. Reused connections are checked, and a call on a dead one is sent again, so keeping them long costs nothing;
# most front ends close them after 60 to 75 s (nginx, load balancers).
KEEPALIVE_S = 60.0
# Two calls in flight and a few spare ones; the engine limits the number of calls.
MAX_IDLE_CONNECTIONS = 4
# Bytes read per event loop iteration. httpcore asks for 64 KiB, and processes all interim responses in them at once:
# 2,500 of them take 180 ms, an eighth 25 ms.
MAX_READ_BYTES = 8 * 1024


def open_transport(
    origin: Origin, ca_file: str = "", peer: PeerCheck | None = None, socket: str = ""
) -> httpx.AsyncBaseTransport:
    """Open a connection pool for one origin, using the environment's proxy if it applies.

    `ca_file` has additional certificates to trust. `socket` is the path of a Unix socket to use instead of the
    origin's host and port. Raises ConfigError.
    """
    # Without TLS no authorities are needed, and reading the CA bundle takes 30 ms.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if origin.scheme == "http" else client_context(ca_file)
    proxy = _proxy_of(origin)
    if proxy is None:
        return _DirectTransport(context, _CheckedBackend(peer or PeerCheck()), socket)
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=MAX_IDLE_CONNECTIONS, keepalive_expiry=KEEPALIVE_S
    )
    return _Transport(verify=context, trust_env=False, limits=limits, proxy=proxy)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's transport, which reuses no connection with unexpected bytes.

    httpcore 1.0.9 checks whether an idle connection's socket is readable, but not for bytes that came with the last
    response: they would be taken for the response to the next request.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for connection in self._pool.connections:
            if connection.is_idle() and _has_unasked_bytes(connection):
                await connection.aclose()
        return await super().handle_async_request(request)


def _has_unasked_bytes(connection: object) -> bool:
    # An HTTP/1.1 connection is wrapped in another one, with a proxy in two; none of this is public API.
    while (inner := getattr(connection, "_connection", None)) is not None:
        connection = inner
    state = getattr(connection, "_h11_state", None)
    return state is not None and state.trailing_data[0] != b""


class _DirectTransport(_Transport):
    """httpx's transport on a pool of our own, because its constructor accepts no network backend (httpx 0.28.1)."""

    def __init__(self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend, socket: str) -> None:
        # The engine limits the number of calls; a limit here would delay them unnoticed.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_S,
            uds=socket or None,
            network_backend=backend,
        )


class _CheckedBackend(httpcore.AnyIOBackend):
    """Connects, checks the other end, and reads in small pieces."""

    def __init__(self, peer: PeerCheck) -> None:
        self._peer = peer

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        async with _closed_on_failure(stream):
            ours, theirs = stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr")
            await self._peer.check(ours[:2], theirs[:2])
        return _SmallReads(stream)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_unix_socket(path, timeout, socket_options)
        async with _closed_on_failure(stream):
            self._peer.check_account(socket_account(stream.get_extra_info("socket")), path)
        return _SmallReads(stream)


class _SmallReads(httpcore.AsyncNetworkStream):
    """A connection that returns at most MAX_READ_BYTES at a time."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(min(max_bytes, MAX_READ_BYTES), timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _SmallReads(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@asynccontextmanager
async def _closed_on_failure(stream: httpcore.AsyncNetworkStream) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await stream.aclose()
        raise


def _proxy_of(origin: Origin) -> str | None:
    """Return the environment's or system's proxy for an address; None for this machine."""
    if origin.is_loopback or proxy_bypass(origin.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(origin.scheme) or proxies.get("all")
    if proxy is not None and proxy.lower().startswith("socks"):
        raise ConfigError("SOCKS proxies are not supported: set HTTPS_PROXY to an HTTP proxy, or NO_PROXY")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
