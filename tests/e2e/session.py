"""Fixtures shared by the tests of the server's process: a stand-in API, and the steps of a session."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tests.lsp.fakes import at
from tests.lspclient import LspClient
from tests.patience import PATIENCE_S
from tests.providers.standin import DONE, Peer, Received, StandIn, text

INLINE = "textDocument/inlineCompletion"
MENU = "textDocument/completion"
FAKE = (sys.executable, "-m", "tests.e2e.fake_server")
SOURCE = "import math\ntotal = add("


async def say_one_line(received: Received, peer: Peer) -> None:
    """Answer every call with one line."""
    await peer.stream(text("a, "), text("b)\n"), text("", "stop"), DONE)
    await peer.end()


def options(standin: StandIn) -> dict[str, Any]:
    """Return initializationOptions for the stand-in API."""
    provider = {
        "api": "openai-completions",
        "base_url": standin.url + "/v1",
        "model": "qwen2.5-coder-0.5b",
        "timeout_s": PATIENCE_S,
    }
    return {
        "provider": "standin",
        "providers": {"standin": provider},
        "completion": {"menu_timeout_ms": 10_000},
    }


async def first_item(client: LspClient, method: str) -> Any:
    """Ask until there is an item: the answer with the settings is on its way while the first requests come."""
    while not (items := (await client.ask(method, at(1, 12)))["result"]["items"]):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return items[0]


async def shut_down(client: LspClient) -> None:
    """End the session as an editor does."""
    assert (await client.ask("shutdown", None))["result"] is None
    client.notify("exit", None)
    assert await client.ended() == 0
