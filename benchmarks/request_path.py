"""Trace one completion request through the engine: which modules it enters, in which order.

    python -m benchmarks.request_path

Prints a line for each stay in a module of `llm_lsp.engine`, then the number of distinct modules and of returns to a
module that was left before. Counted are calls (`sys.setprofile`) from the request's arrival until its answer, for a
request that needs a call to a model; the model is scripted, so nothing waits.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType

from llm_lsp.config.layers import SettingsStack
from llm_lsp.config.settings import Config
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.providers.base import Provider
from tests.doubles import FakeClock, ScriptedProvider, at_once, settle
from tests.engine.test_engine import RecordingClient

PACKAGE = "llm_lsp.engine."


class Stays:
    """The modules entered, in order; several calls in the same module are one stay."""

    def __init__(self) -> None:
        self.modules: list[tuple[str, str]] = []

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event != "call" or not module.startswith(PACKAGE):
            return
        name = module.removeprefix(PACKAGE)
        if not self.modules or self.modules[-1][0] != name:
            self.modules.append((name, frame.f_code.co_qualname))


class OneProvider:
    """Finds the scripted provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        return self._provider


async def trace() -> list[tuple[str, str]]:
    """Return the stays of one request."""
    clock = FakeClock()
    provider = ScriptedProvider(replies=("return 1\n",))
    layer = SettingsStack().with_layer(SettingsSource.USER_FILE, {})
    engine = CompletionEngine(
        layer,
        EngineDependencies(OneProvider(provider), lambda stack, _: stack, clock, in_thread=at_once),
        RecordingClient(),
    )
    document = Document("file:///p/a.py", "python", 1, Text.of("def one():\n    "))
    engine.open(document)
    await engine.ready(document)
    await settle()
    request = CompletionRequest(1, document, document.text.end, Trigger.MANUAL, "inline", clock.now())
    stays = Stays()
    sys.setprofile(stays.profile)
    task = asyncio.create_task(engine.complete(request))
    while not task.done():
        await clock.advance(0.01)
    sys.setprofile(None)
    print(task.result())
    await engine.aclose()
    return stays.modules


def main() -> None:
    stays = asyncio.run(trace())
    for module, function in stays:
        print(f"{module:32} {function}")
    modules = {module for module, _ in stays}
    print(f"{len(stays)} stays, {len(modules)} modules, {len(stays) - len(modules)} returns")


if __name__ == "__main__":
    main()
