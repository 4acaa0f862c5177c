"""A server of this machine is sent nothing unless it runs as the account that it should."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.errors import StrangerError
from llm_lsp.port_owners import Address, Owner
from llm_lsp.providers.catalogue.model_listing import list_models
from llm_lsp.providers.http import peer_check as peer_module
from llm_lsp.providers.http import transport as transport_module
from llm_lsp.providers.http.peer_check import OURS, UNVOUCHED, KnownPeers, PeerCheck
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.standin import serve, sse, text
from tests.servers import listening

OWNERS = {1001: "me", 998: "system", 2001: "other", 2002: "other", None: "unknown"}
KEY = Secret("sk-canary-0123456789")


@pytest.fixture(autouse=True)
def accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "owner_of", OWNERS.__getitem__)


def runs_as(*accounts: int | None, allowed: Sequence[Owner] = ()) -> PeerCheck:
    """Return a check that finds these accounts behind one connection after another."""
    following = iter(accounts)
    return PeerCheck("it", allowed, lambda ours, theirs: next(following))


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a server that closes each connection after one answer; yield its address and all bytes that came."""
    came: list[bytes] = []
    answer = b"".join((text("x = 1"), text("", "stop"), sse("[DONE]")))

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(head := await reader.read(65536))
        if head:
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + answer
            )
            await writer.drain()

    async with listening(handle) as port:
        yield f"http://127.0.0.1:{port}", came


def provider_at(url: str, peer: PeerCheck, path: str = "") -> HttpProvider:
    config = ProviderConfig("it", "openai-completions", f"{url}/v1", "m")
    return make_provider(config, KEY, peer=peer, socket=path)


async def answer_of(provider: HttpProvider) -> str:
    return "".join([chunk.text async for chunk in provider.stream(RawPrompt("canary code"))])


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(1001, 2001, id="ours, then another's"),
        pytest.param(998, 2001, id="the system's, then another's"),
        pytest.param(2001, 2002, id="a named account, then another"),
        pytest.param(1001, 998, id="ours, then a system account's"),
        pytest.param(1001, None, id="ours, then it cannot be told"),
        pytest.param(None, 2001, id="it could not be told, then another's"),
    ],
)
async def test_a_vouched_address_never_changes_its_account(first: int | None, then: int | None) -> None:
    async with (
        recording() as (url, came),
        aclosing(provider_at(url, runs_as(first, then, first))) as provider,
    ):
        assert await answer_of(provider) == "x = 1"
        with pytest.raises(StrangerError, match="has taken over"):
            await answer_of(provider)
        assert await answer_of(provider) == "x = 1"
    assert [bool(head) for head in came] == [True, False, True]


async def test_a_vouched_address_may_change_its_process() -> None:
    async with recording() as (url, came), aclosing(provider_at(url, runs_as(2001, 2001))) as provider:
        assert [await answer_of(provider) for _ in range(2)] == ["x = 1"] * 2
    assert len(came) == 2


@pytest.mark.parametrize(
    ("allowed", "account"),
    [
        pytest.param(UNVOUCHED, 2001, id="another's, where nothing was vouched for"),
        pytest.param(UNVOUCHED, None, id="it cannot be told, where nothing was vouched for"),
        pytest.param(OURS, 998, id="the system's in place of our own server"),
        pytest.param(OURS, 2001, id="another's in place of our own server"),
        pytest.param(OURS, None, id="it cannot be told in place of our own server"),
    ],
)
async def test_another_owner_is_sent_nothing(allowed: Sequence[Owner], account: int | None) -> None:
    check = runs_as(account, account, account, allowed=allowed)
    async with recording() as (url, came), aclosing(provider_at(url, check)) as provider:
        await provider.warm()
        with pytest.raises(StrangerError, match="it"):
            await answer_of(provider)
        with pytest.raises(StrangerError):
            await list_models(ProviderConfig("it", "openai-completions", f"{url}/v1"), KEY, check)
    # The last connection may be over before the server has looked at it.
    assert {*came} <= {b""}


async def test_each_connection_is_looked_at_once_and_beside_the_event_loop() -> None:
    threads: list[int] = []

    def account_of(ours: Address, theirs: Address) -> int:
        threads.append(threading.get_ident())
        return 1001

    async def hello(received: object, peer: object) -> None:
        await peer.json({"data": []})  # type: ignore[attr-defined] # a Peer

    async with serve(hello) as standin:
        url, check = standin.url, PeerCheck("it", (), account_of)
        async with aclosing(provider_at(url, check)) as provider:
            for _ in range(3):
                await provider.warm()
    assert standin.connections == len(threads) == 1
    assert threading.get_ident() not in threads


async def test_another_machine_is_not_looked_up() -> None:
    check = runs_as()
    await check.check(("192.0.2.1", 5000), ("192.0.2.2", 443))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
async def test_every_loopback_address_is_looked_up(host: str) -> None:
    with pytest.raises(StrangerError):
        await runs_as(2001, allowed=OURS).check((host, 1), (host, 2))


async def test_a_provider_that_is_made_anew_keeps_the_account_that_was_seen() -> None:
    peers = KnownPeers()
    config = ProviderConfig("it", "openai-completions", "http://127.0.0.1:9/v1", "m")
    peers.check_for(config).check_account(1001, "127.0.0.1:9")
    again = ProviderConfig("it", "openai-completions", "http://127.0.0.1:9/v1", "another")
    with pytest.raises(StrangerError):
        peers.check_for(again).check_account(2001, "127.0.0.1:9")


@pytest.fixture
def socket_path(tmp_path: Path) -> Iterator[str]:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("Unix sockets")
    yield str(tmp_path / "s.sock")


@pytest.mark.parametrize(("account", "is_ours"), [(1001, True), (2001, False), (998, False)])
async def test_a_unix_socket_is_asked_if_it_is_ours(
    socket_path: str, account: int, is_ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "socket_account", lambda connection: account)
    came: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(65536))
        if came[-1]:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + text("x = 1") + sse("[DONE]"))
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(handle, socket_path)
    async with (
        server,
        aclosing(provider_at("http://localhost", PeerCheck("local", OURS), socket_path)) as provider,
    ):
        if is_ours:
            assert await answer_of(provider) == "x = 1"
        else:
            with pytest.raises(StrangerError):
                await answer_of(provider)
    assert [b"canary code" in head for head in came] == [True] * is_ours or came == [b""]
