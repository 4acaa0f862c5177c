"""The real protocol with a fake engine behind it, as a process; the first argument names its misbehaviour."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
import time

from llm_lsp.core.request import Completion, CompletionRequest
from llm_lsp.core.skip import Skip
from llm_lsp.engine.client.interface import Client
from llm_lsp.lsp.stdio import run
from tests.lsp.fakes import FakeEngine


class StuckEngine(FakeEngine):
    """Leaves a thread behind that cannot be ended, and never closes."""

    async def complete(self, request: CompletionRequest) -> Completion | Skip:
        threads = [asyncio.create_task(asyncio.to_thread(time.sleep, 600)) for _ in range(3)]
        await asyncio.sleep(0)
        self.calls.append(("stuck", threads))
        return await super().complete(request)

    async def aclose(self) -> None:
        await asyncio.Event().wait()


def stand_still(how: str) -> None:
    """Keep the event loop from turning, for good."""
    os.write(2, b"stands still\n")
    if how == "code":
        while True:
            pass
    elif how == "wait":
        threading.Event().wait()
    # Tries 2**60 ways, and holds the interpreter's lock meanwhile.
    re.match("(a|a)*b", "a" * 60)


def build(client: Client) -> FakeEngine:
    """Make the engine that the test asked for."""
    if "print" in sys.argv:
        print("a stray print")  # noqa: T201 - that is the misbehaviour
        os.write(1, b"and one past Python\n")
        assert sys.stdin.read() == ""
    for how in {"code", "wait", "expression"} & {*sys.argv}:
        stand_still(how)
    return StuckEngine(client) if "stuck" in sys.argv else FakeEngine(client)


if __name__ == "__main__":
    run(build)
