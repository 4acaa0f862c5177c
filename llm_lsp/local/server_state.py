"""The state of a running model server, for the processes that share it: a private file, and a lock that it holds while it lives.

Starts and asks nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
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
    """0 if it listens on a socket."""
    key: str
    pid: int
    start_mark: str
    """Tells the process from a later one with the same id."""
    started_at: float
    """Seconds since 1970."""
    threads: int
    idle_s: float
    """Seconds without a request after which it ends; 0 for never."""
    socket: str = ""
    """Path of the Unix socket that it listens on; empty if it listens on `port`."""

    def __repr__(self) -> str:
        return f"ServerState({self.spec.model}, {self.socket or self.port}, pid {self.pid})"

    @property
    def is_running(self) -> bool:
        """Return whether the process that wrote this still lives."""
        return system.is_alive(self.pid) and system.start_mark(self.pid) == self.start_mark


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files of one server."""

    state: Path
    lock: Path
    """Held by the server's process while it lives: so there are never two."""
    log: Path
    sockets: tuple[Path, ...]
    """Where the server listens, the best place first; each in a folder that only this user may enter."""

    def read(self) -> ServerState | None:
        """Return the running server; None if there is none, or the file is left over."""
        state = read_state(self.state)
        return state if state and state.is_running else None

    def write(self, state: ServerState) -> None:
        """Write the state of a server; raises OSError."""
        system.write_private(self.state, json.dumps(asdict(state)).encode())

    def clear(self) -> None:
        """Remove the state and the sockets; the lock's file stays, since a lock on a removed file holds nothing."""
        for path in (self.state, *self.sockets):
            with contextlib.suppress(OSError):
                path.unlink()


def files_of(spec: ServerSpec, folder: Path) -> ServerFiles:
    """Return the files of the server for a spec, in the folder of all servers."""
    # The machine's name belongs to it: a home folder may be shared by machines, a loopback port is not.
    identity = "\0".join((platform.node(), spec.gguf, spec.lora, str(spec.context_tokens)))
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    stem = f"{spec.model}-{digest}"
    return ServerFiles(
        folder / f"{stem}.json",
        folder / f"{stem}.lock",
        folder / f"{stem}.log",
        # Without the model's name: the path of a socket is short.
        tuple(each / f"{digest}.sock" for each in _socket_folders(folder)),
    )


# Bytes that the path of a socket may have on Linux (108) and on macOS (104, sys/un.h), with their closing zero.
_MAX_SOCKET_BYTES = 103
_SOCKET_NAME_BYTES = len("/0123456789.sock")


def _socket_folders(folder: Path) -> Iterator[Path]:
    """Yield where the sockets of a folder's servers may be: beside it, or in the temporary folder.

    Beside it the path may be too long, and a file system on another machine takes no sockets.
    """
    beside = folder / "sockets"
    if len(os.fsencode(beside)) + _SOCKET_NAME_BYTES <= _MAX_SOCKET_BYTES:
        yield beside
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:10]
    yield Path(tempfile.gettempdir()) / f"llm-lsp-{mark}"


def running(folder: Path) -> list[ServerState]:
    """List the servers that run."""
    found = [read_state(path) for path in sorted(folder.glob("*.json"))]
    return [state for state in found if state and state.is_running]


def read_state(path: Path) -> ServerState | None:
    """Read a state file; None if there is none, or it is not ours."""
    try:
        entry = json.loads(path.read_bytes())
        spec = ServerSpec(**entry.pop("spec"))
        return ServerState(spec=spec, **entry)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
