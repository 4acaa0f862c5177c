"""Trace one completion request through the engine: which modules it is handed to, in which order.

    python -m benchmarks.request_path

A hand-over is a call (`sys.setprofile`) from one module of `llm_lsp.engine` into another that passes the request, or
the value that carries it from there on, between the request's arrival and its answer; a coroutine that resumes is no
call. A return is a hand-over to a module that had the request before another one. The request needs a call to a
model, which is scripted, so nothing waits. With `--all` every call into another module counts, whatever it passes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dis import opmap
from types import FrameType

from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Completion, CompletionRequest, ModelRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.completion.attempt import CompletionAttempt
from llm_lsp.engine.completion.events import Ask
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.providers.base import Provider
from tests.doubles import FakeClock, ScriptedProvider, at_once, settle
from tests.engine.rig import RecordingClient

PACKAGE = "llm_lsp.engine."
CARRIERS = (CompletionRequest, ModelRequest, CompletionAttempt, Ask)


class HandOvers:
    """The modules that the request is handed to, in order."""

    def __init__(self, *, every_call: bool) -> None:
        self.every_call = every_call
        self.entered: list[tuple[str, str]] = []
        self.is_answered = False

    def profile(self, frame: FrameType, event: str, value: object) -> None:
        """Record a call into another module."""
        module, code = frame.f_globals.get("__name__", ""), frame.f_code
        if event == "return" and code.co_qualname == "CompletionEngine.complete":
            self.is_answered = self.is_answered or isinstance(value, Completion)
        if self.is_answered or event != "call" or not module.startswith(PACKAGE) or is_resumed(frame):
            return
        arguments = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount]]
        if not self.every_call and not any(isinstance(value, CARRIERS) for value in arguments):
            return
        name = module.removeprefix(PACKAGE)
        # A value's own constructors and properties are where it is built and read, no stage that it goes to.
        owner = arguments[0] if arguments else None
        is_value = code.co_name.startswith("__") or isinstance(owner, CARRIERS) or owner in CARRIERS
        if not is_value and (not self.entered or self.entered[-1][0] != name) and caller(frame) != module:
            self.entered.append((name, code.co_qualname))


def is_resumed(frame: FrameType) -> bool:
    """Return whether a call event is a coroutine that goes on, and not one that begins."""
    code = frame.f_code.co_code
    begins = next(at for at in range(0, len(code), 2) if code[at] == opmap["RESUME"])
    return frame.f_lasti > begins


def caller(frame: FrameType) -> str:
    """Return the module of the package that called, whatever stands between."""
    back = frame.f_back
    while back is not None:
        name: str = back.f_globals.get("__name__", "")
        if name.startswith(PACKAGE):
            return name
        back = back.f_back
    return ""


class OneProvider:
    """Finds the scripted provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        return self._provider


async def trace(*, every_call: bool) -> list[tuple[str, str]]:
    """Return the hand-overs of one request."""
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
    passed = HandOvers(every_call=every_call)
    sys.setprofile(passed.profile)
    task = asyncio.create_task(engine.complete(request))
    while not task.done():
        await clock.advance(0.01)
    sys.setprofile(None)
    task.result()
    await engine.aclose()
    return passed.entered


def main() -> None:
    """Print the hand-overs."""
    passed = asyncio.run(trace(every_call="--all" in sys.argv))
    for module, function in passed:
        print(f"{module:32} {function}")
    modules = {module for module, _ in passed}
    print(f"{len(passed)} hand-overs, {len(modules)} modules, {len(passed) - len(modules)} returns")


if __name__ == "__main__":
    main()
