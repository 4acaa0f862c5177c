"""What a running model server tells those who share it: a private file, and a lock that its life holds.

Starts and asks nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_lsp import system


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """Which server is wanted; two that differ in nothing here share one."""

    model: str
    gguf: str
    context_tokens: int
    lora: str = ""


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that runs, or ran."""

    spec: ServerSpec
    port: int
    key: str
    pid: int
    start_mark: str
    """Tells the process from a later one with the same id."""
    started_at: float
    """Seconds since 1970."""
    threads: int
    idle_s: float
    """Seconds without a request after which it ends; 0 for never."""

    def __repr__(self) -> str:
        return f"ServerState({self.spec.model}, port {self.port}, pid {self.pid})"

    @property
    def is_running(self) -> bool:
        """Say whether the process that wrote this still lives."""
        return system.is_alive(self.pid) and system.start_mark(self.pid) == self.start_mark


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files of one server."""

    state: Path
    lock: Path
    """Held by the server's process while it lives: so there are never two."""
    log: Path

    def read(self) -> ServerState | None:
        """Give the server that runs; None where there is none, or the file is left over."""
        state = read_state(self.state)
        return state if state and state.is_running else None

    def write(self, state: ServerState) -> None:
        """Tell of a server; raises OSError."""
        system.write_private(self.state, json.dumps(asdict(state)).encode())

    def clear(self) -> None:
        """Take the state away; the lock's file stays, since a lock on a removed file holds nobody."""
        with contextlib.suppress(OSError):
            self.state.unlink()


def files_of(spec: ServerSpec, folder: Path) -> ServerFiles:
    """Give the files of the server for a spec, in the folder of all servers."""
    # The machine's name belongs to it: a home folder may be shared by machines, a loopback port is not.
    identity = "\0".join((platform.node(), spec.gguf, spec.lora, str(spec.context_tokens)))
    stem = f"{spec.model}-{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"
    return ServerFiles(folder / f"{stem}.json", folder / f"{stem}.lock", folder / f"{stem}.log")


def running(folder: Path) -> list[ServerState]:
    """List the servers that run."""
    found = [read_state(path) for path in sorted(folder.glob("*.json"))]
    return [state for state in found if state and state.is_running]


def read_state(path: Path) -> ServerState | None:
    """Read a state file; None where there is none, or it is not ours."""
    try:
        entry = json.loads(path.read_bytes())
        spec = ServerSpec(**entry.pop("spec"))
        return ServerState(spec=spec, **entry)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
