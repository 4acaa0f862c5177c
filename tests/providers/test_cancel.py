"""Closing calls at any moment loses no connection and no place in the pool: docs/adr/0003."""

import asyncio
import random
from collections.abc import Callable

import pytest

from llm_lsp.config.values import ProviderConfig
from llm_lsp.core.types import RawPrompt
from llm_lsp.providers.http import HttpProvider
from llm_lsp.providers.resolve import make_provider
from llm_lsp.providers.stream import HttpStream

from .pools import pool
from .standin import DONE, Peer, Received, StandIn, serve, text

N_CALLS = 1000


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
@pytest.mark.timeout(60)
async def test_a_thousand_calls_closed_at_random_moments_lose_nothing(backlog: int, at_once: int) -> None:
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
            # The engine closes it, or whoever reads is cancelled.
            ways: list[Callable[[], object]] = [stream.close, stream.close, reading.cancel]
            rng.choice(ways)()
            await asyncio.gather(reading, return_exceptions=True)
            stream.release()

    async with serve(script, backlog) as standin:
        provider = connect(standin)
        await asyncio.gather(*(call(provider) for _ in range(N_CALLS)))
        await settled(provider)
        assert [c for c in pool(provider).connections if not c.is_idle()] == []
        assert pool(provider)._requests == []
        assert (await read(provider)).startswith("a")
        await provider.aclose()
        async with asyncio.timeout(5):
            await standin.idle.wait()


async def _drain(stream: HttpStream) -> None:
    async for _ in stream:
        pass
