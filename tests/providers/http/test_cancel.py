"""Closing calls at any moment loses no connection and no place in the pool: docs/adr/0003."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.http.stream import HttpStream
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.http.pools import pool
from tests.providers.standin import DONE, Peer, Received, StandIn, delayed, serve, server_context, text


def connect(standin: StandIn, local: bool = True) -> HttpProvider:
    config = ProviderConfig("it", "openai-completions", f"{standin.url}/v1", "m", local=local)
    return make_provider(config, None)


async def settled(provider: HttpProvider) -> None:
    """Wait until no call is under way: a close is carried out when that is safe."""
    while provider._tasks:
        await asyncio.wait(set(provider._tasks))


async def read(provider: HttpProvider) -> str:
    return "".join([chunk.text async for chunk in provider.stream(RawPrompt("x"))])


@pytest.mark.parametrize(
    ("backlog", "at_once"),
    [
        pytest.param(100, 4, id="connects at once"),
        pytest.param(1, 12, id="connects slowly, over a full backlog"),
    ],
)
@pytest.mark.parametrize("n_calls", [200, pytest.param(1000, marks=pytest.mark.slow)])
async def test_calls_closed_at_random_moments_lose_nothing(n_calls: int, backlog: int, at_once: int) -> None:
    rng = random.Random(2)
    gate = asyncio.Semaphore(at_once)

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"))
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(rng.uniform(0, 0.008))
            await peer.more(text("b"))
        await peer.more(text("", "stop"), DONE)
        await peer.end()

    async def call(provider: HttpProvider) -> None:
        async with gate:
            stream = provider.stream(RawPrompt("x"))
            reading = asyncio.ensure_future(_drain(stream))
            await asyncio.sleep(rng.uniform(0, 0.02))
            # The engine closes it, or the reading task is cancelled.
            style: list[Callable[[], object]] = [stream.close, stream.close, reading.cancel]
            rng.choice(style)()
            await asyncio.gather(reading, return_exceptions=True)
            stream.release()

    async with serve(script, backlog) as standin:
        provider = connect(standin)
        await asyncio.gather(*(call(provider) for _ in range(n_calls)))
        await settled(provider)
        assert [c for c in pool(provider).connections if not c.is_idle()] == []
        assert pool(provider)._requests == []
        assert (await read(provider)).startswith("a")
        await provider.aclose()
        await standin.idle.wait()


@dataclass(frozen=True)
class Storm:
    """Calls that are each closed at a random moment, as keys close them."""

    n_calls: int
    at_once: int
    first_s: float
    last_s: float

    async def blow(self, provider: HttpProvider) -> None:
        rng, gate = random.Random(3), asyncio.Semaphore(self.at_once)
        moments = [rng.uniform(self.first_s, self.last_s) for _ in range(self.n_calls)]
        await asyncio.gather(*(_call(provider, gate, moment) for moment in moments))


async def _call(provider: HttpProvider, gate: asyncio.Semaphore, closed_after_s: float) -> None:
    async with gate:
        stream = provider.stream(RawPrompt("x"))
        reading = asyncio.ensure_future(_drain(stream))
        await asyncio.sleep(closed_after_s)
        stream.close()
        await asyncio.gather(reading, return_exceptions=True)


async def writes_slowly(received: Received, peer: Peer) -> None:
    """Stream for 0.1 s."""
    if received.method != "POST":
        await peer.json({})
        return
    await peer.stream(text("a"))
    for _ in range(5):
        await asyncio.sleep(0.02)
        await peer.more(text("b"))
    await peer.more(text("", "stop"), DONE)
    await peer.end()


async def nothing_is_lost(provider: HttpProvider, standin: StandIn) -> None:
    """See that the pool is empty of what works, that the next call succeeds, and that all ends with the provider."""
    await settled(provider)
    assert [c for c in pool(provider).connections if not c.is_idle()] == []
    assert pool(provider)._requests == []
    assert await read(provider) == "abbbbb"
    await provider.aclose()
    await standin.idle.wait()
    assert provider._tasks == set()


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_four_thousand_calls_closed_within_6_ms_lose_nothing() -> None:
    async with serve(writes_slowly) as standin:
        provider = connect(standin, local=False)
        await Storm(4000, 4, 0, 0.006).blow(provider)
        await nothing_is_lost(provider, standin)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_three_thousand_calls_closed_over_a_slow_line_with_tls_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = server_context(authority.issue_cert("localhost"))
    async with serve(writes_slowly, tls=tls) as standin, delayed(standin.port, 0.02) as port:
        standin.url = f"https://localhost:{port}"
        provider = connect(standin, local=False)
        await Storm(3000, 12, 0.03, 0.2).blow(provider)
        await nothing_is_lost(provider, standin)


async def _drain(stream: HttpStream) -> None:
    async for _ in stream:
        pass
