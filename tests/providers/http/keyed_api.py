"""A model API that takes some keys, for the tests of refused and expired ones."""

from __future__ import annotations

from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.providers.http.provider import HttpProvider
from tests.providers.standin import DONE, Peer, Received, Script, StandIn, text


async def read(provider: HttpProvider) -> str:
    return "".join([chunk.text async for chunk in provider.stream(RawPrompt("x", ("END",)))])


def takes(*keys: str) -> Script:
    """Answer to these keys alone."""

    async def script(received: Received, peer: Peer) -> None:
        if received.headers.get("authorization", "").removeprefix("Bearer ") in keys:
            await peer.stream(text("a", "stop"), DONE)
            await peer.end()
        else:
            await peer.json({"error": {"message": "no"}}, 401)

    return script


def keys_sent(standin: StandIn) -> list[str]:
    return [received.headers["authorization"].removeprefix("Bearer ") for received in standin.received]
