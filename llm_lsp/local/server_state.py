"""The state of a running model server, for the processes that share it.

A private file describes the server, and a lock is held by its process for as long as it lives.
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
    """Which server is needed; requests with equal specs share a server."""

    model: str
    gguf: str
    context_tokens: int
    lora: str = ""


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that is running, or was."""

    spec: ServerSpec
    port: int
    """0 if it listens on a socket."""
    key: str
    pid: int
    start_mark: str
    """Distinguishes the process from a later one with the same id."""
    started_at: float
    """Seconds since 1970."""
    threads: int
    idle_s: float
    """Seconds without a request after which it ends; 0 to never end."""
    socket: str = ""
    """Path of the Unix socket on which it listens; empty if it listens on `port`."""

    def __repr__(self) -> str:
        return f"ServerState({self.spec.model}, {self.socket or self.port}, pid {self.pid})"

    @property
    def is_running(self) -> bool:
        """Check whether the process that wrote this state is still alive."""
        return system.is_alive(self.pid) and system.start_mark(self.pid) == self.start_mark


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files of one server."""

    state: Path
    lock: Path
    """Held by the server's process while it lives, so that there is never a second one."""
    log: Path
    sockets: tuple[Path, ...]
    """Possible paths of the server's socket, best first; each in a folder that only this user can enter."""

    def read(self) -> ServerState | None:
        """Return the state of the running server; None if there is none, even if its file is left."""
        state = read_state(self.state)
        return state if state and state.is_running else None

    def write(self, state: ServerState) -> None:
        """Write a server's state; raises OSError."""
        system.write_private(self.state, json.dumps(asdict(state)).encode())

    def clear(self) -> None:
        """Remove the state and the sockets, but not the lock file: a lock on a removed file would exclude no
        process.
        """
        for path in (self.state, *self.sockets):
            with contextlib.suppress(OSError):
                path.unlink()


def files_of(spec: ServerSpec, folder: Path) -> ServerFiles:
    """Return the files of the server for a spec, within the folder of all servers."""
    # Includes the host name: machines may share a home folder, but not a loopback port.
    identity = "\0".join((platform.node(), spec.gguf, spec.lora, str(spec.context_tokens)))
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    stem = f"{spec.model}-{digest}"
    return ServerFiles(
        folder / f"{stem}.json",
        folder / f"{stem}.lock",
        folder / f"{stem}.log",
        # Named by the digest alone, since the path of a socket must be short.
        tuple(each / f"{digest}.sock" for each in _socket_folders(folder)),
    )


# Bytes in the path of a socket: 108 on Linux and 104 on macOS (sys/un.h), including the closing zero.
_MAX_SOCKET_BYTES = 103
_SOCKET_NAME_BYTES = len("/0123456789.sock")


def _socket_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders in which sockets may be created: next to the state files, then in the temporary folder.

    Next to the state files the path may be too long, and network file systems do not support sockets.
    """
    beside = folder / "sockets"
    if len(os.fsencode(beside)) + _SOCKET_NAME_BYTES <= _MAX_SOCKET_BYTES:
        yield beside
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:10]
    yield Path(tempfile.gettempdir()) / f"llm-lsp-{mark}"


def running(folder: Path) -> list[ServerState]:
    """List the running servers."""
    found = [read_state(path) for path in sorted(folder.glob("*.json"))]
    return [state for state in found if state and state.is_running]


def read_state(path: Path) -> ServerState | None:
    """Read a state file; None if it is missing or not valid."""
    try:
        entry = json.loads(path.read_bytes())
        spec = ServerSpec(**entry.pop("spec"))
        return ServerState(spec=spec, **entry)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
