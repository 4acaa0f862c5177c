"""The server is as it was after a long time of typing: memory, descriptors, connections, answers."""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.vitals import Vitals
from tests.e2e.session import INLINE, options
from tests.lsp.fakes import URI
from tests.lspclient import LspClient, running
from tests.providers.standin import DONE, Peer, Received, serve, text

# Bytes that an edit may leave behind for good, at most: stock pygls leaves 2,110.
MAX_BYTES_PER_EDIT = 200
# Bytes that Python's allocator may be up at one look and down at the next.
SLACK_BYTES = 2 << 20
CANCELLED_SHARE = 0.8


@dataclass
class Typist:
    """Types at the end of one document, asks often, and mostly cancels."""

    client: LspClient
    dice: random.Random
    version: int = 1
    column: int = 0
    asked: int = 0
    answered: int = 0

    async def type(self, edits: int) -> None:
        waiting: list[asyncio.Future[dict[str, object]]] = []
        for n in range(edits):
            self._press(self.dice.choice("abcxyz_ (.="))
            if n % 4 == 0:
                waiting.append(await self._ask())
            if n % 50 == 0:
                await asyncio.sleep(0.005)
        self.answered += len(await asyncio.gather(*waiting))

    def _press(self, character: str) -> None:
        self.version += 1
        start = {"line": 0, "character": self.column}
        end = start
        if self.column >= 60:
            start, self.column = {"line": 0, "character": 0}, 0
        change = {"range": {"start": start, "end": end}, "text": character}
        document = {"uri": URI, "version": self.version}
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        self.column += 1

    async def _ask(self) -> asyncio.Future[dict[str, object]]:
        position = {"line": 0, "character": self.column}
        params = {"textDocument": {"uri": URI}, "position": position, "context": {"triggerKind": 2}}
        number, answer = self.client.begin(INLINE, params)
        self.asked += 1
        if self.dice.random() < CANCELLED_SHARE:
            await asyncio.sleep(self.dice.uniform(0, 0.01))
            self.client.notify("$/cancelRequest", {"id": number})
        return answer


async def answer_slowly(received: Received, peer: Peer) -> None:
    """Write a line, a little later."""
    await asyncio.sleep(0.01)
    await peer.stream(text("a + "), text("b\n"), text("", "stop"), DONE)
    await peer.end()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "edits",
    [
        pytest.param(5_000, id="a short time"),
        pytest.param(44_000, id="a day", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
)
async def test_typing_for_long_leaves_nothing_behind(edits: int, tmp_path: Path) -> None:
    async with serve(answer_slowly) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        client.open(URI, "")
        typist = Typist(client, random.Random(1))
        pid = client.process.pid
        await typist.type(edits // 2)
        before = Vitals.of(pid)

        await typist.type(edits // 2)

        assert typist.answered == typist.asked
        after = Vitals.of(pid)
        assert after.resident_bytes - before.resident_bytes <= MAX_BYTES_PER_EDIT * edits // 2 + SLACK_BYTES
        assert after.descriptors <= before.descriptors + 4
