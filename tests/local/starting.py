"""Model servers that are started in place of real ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from llm_lsp import system
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import ServerSpec, ServerState, files_of

SPEC = ServerSpec("m", "/models/m.gguf", 8192)
KEY = "right"


class FakeChild:
    """A process that has ended with a status, or runs."""

    pid = 1

    def __init__(self, status: int | None) -> None:
        self._status = status

    def poll(self) -> int | None:
        return self._status


class Starter:
    """Counts the starts, and does what it is told at each."""

    def __init__(self, *acts: Callable[[], int | None]) -> None:
        self.starts = 0
        self._acts = acts

    def __call__(self, options: HostOptions) -> FakeChild:
        act = self._acts[min(self.starts, len(self._acts) - 1)]
        self.starts += 1
        return FakeChild(act())


def options_in(folder: Path) -> HostOptions:
    return HostOptions(SPEC, str(folder), threads=1, batch_tokens=128, idle_s=60.0)


def tell(folder: Path, port: int, *, key: str = KEY, idle_s: float = 60.0) -> None:
    """Write the state of a server at a port."""
    pid = os.getpid()
    state = ServerState(SPEC, port, key, pid, system.start_mark(pid), 0.0, 1, idle_s)
    files_of(SPEC, folder).write(state)


def ready(folder: Path, port: int) -> Callable[[], None]:
    """Come up at once."""
    return lambda: tell(folder, port)
