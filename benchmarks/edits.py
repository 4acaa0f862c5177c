"""What a keystroke and a request cost in documents of three sizes, in milliseconds of processor time.

    python -m benchmarks.edits

An edit is timed from its message's bytes to the engine's new document, with all that hangs on it, every tenth far away
from the one before; a request until its prompt is written and masked. The model never answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence

from benchmarks.soak_rig import Figure, percentile
from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.text import Point
from llm_lsp.engine.client.interface import Client
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.lsp.server import create_server
from tests.doubles import at_once

URI = "file:///project/edits.py"
# No two lines are the same, so that nothing that is remembered by line helps where a cursor comes first.
LINE = "    value_{0:06} = compute(first, {0:06}, third)  # what a line of code may look like\n"
# Bytes of a document, and milliseconds that 99 of 100 edits may take.
SIZES: Mapping[str, tuple[int, float]] = {
    "100 KB": (100_000, 2.0),
    "1 MB": (1_000_000, 3.0),
    "5 MB": (5_000_000, 10.0),
}
MOST_REQUEST_MS = 10.0
GAP_S = 0.15


class Bench:
    """A server without pipes, and an engine whose model never answers."""

    def __init__(self, text: str) -> None:
        self.clock = VirtualClock()
        self._version = 1
        self._protocol = create_server(self._build).protocol
        self._protocol.writer = self
        capabilities: Mapping[str, object] = {"textDocument": {"inlineCompletion": {}}}
        self._send("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities}, id=1)
        self._send("initialized", {})
        document = {"uri": URI, "languageId": "python", "version": 1, "text": text}
        self._send("textDocument/didOpen", {"textDocument": document})

    def _build(self, client: Client) -> CompletionEngine:
        silent = Silent(SimulatedProvider(self.clock, Model(), lambda prompt: ("", 0), "qwen"))
        self.engine = CompletionEngine(
            SettingsStack(),
            EngineDependencies(silent, silent.with_folders, self.clock, in_thread=at_once),
            silent,
        )
        return self.engine

    def write(self, data: bytes) -> None:
        """Discard what the server sends."""

    def _send(self, method: str, params: object, **more: object) -> float:
        """Return the milliseconds that a message took."""
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        began = time.thread_time()
        self._protocol.receive(body)
        return 1e3 * (time.thread_time() - began)

    def edit(self, point: Point, text: str) -> float:
        """Insert; give the milliseconds that it took."""
        self._version += 1
        place = {"line": point.line, "character": point.column}
        changes = [{"range": {"start": place, "end": place}, "text": text}]
        document = {"uri": URI, "version": self._version}
        return self._send("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def ask(self, point: Point) -> float:
        """Write a request's prompt; give the milliseconds that it took."""
        document = self.engine.document(URI)
        assert document is not None
        began = time.thread_time()
        request = CompletionRequest(1, document, point, Trigger.MANUAL, "inline", self.clock.now())
        question = self.engine.question(request)
        took_ms = 1e3 * (time.thread_time() - began)
        assert not isinstance(question, Skip)
        return took_ms


async def time_document(n_bytes: int, n_edits: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each edit, and of each request."""
    dice = random.Random(1)
    n_lines = n_bytes // len(LINE.format(0))
    bench = Bench("".join(map(LINE.format, range(n_lines))))
    # A request by hand waits until the provider is there, and this is asked of none.
    await bench.clock.until(5.0)
    edits_ms, requests_ms = [], []
    point = Point(n_lines // 2, 0)
    for number in range(n_edits):
        if number % 10 == 0:
            point = Point(dice.randrange(n_lines), 0)
        edits_ms.append(bench.edit(point, dice.choice("abc_ .(")))
        point = Point(point.line, point.column + 1)
        requests_ms.append(bench.ask(point))
        await bench.clock.until(bench.clock.now() + GAP_S)
    await bench.engine.aclose()
    return edits_ms, requests_ms


def figures(n_edits: int) -> Sequence[Figure]:
    """Measure all sizes."""
    found: list[Figure] = []
    for name, (n_bytes, most_ms) in SIZES.items():
        edits_ms, requests_ms = asyncio.run(time_document(n_bytes, n_edits))
        found += [
            Figure(f"{name}: an edit, ms, median", percentile(edits_ms, 0.5)),
            Figure(f"{name}: an edit, ms, 99 of 100", percentile(edits_ms, 0.99), most_ms),
            Figure(f"{name}: a request, ms, median", percentile(requests_ms, 0.5)),
            Figure(f"{name}: a request, ms, 99 of 100", percentile(requests_ms, 0.99), MOST_REQUEST_MS),
        ]
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edits", type=int, default=2000)
    found = figures(parser.parse_args().edits)
    for figure in found:
        print(figure)
    return 0 if all(figure.holds for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
