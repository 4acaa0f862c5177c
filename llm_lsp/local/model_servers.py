"""Join the model server that runs on this machine, or start it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Protocol

from llm_lsp import system
from llm_lsp.errors import LocalModelError, ModelServerError
from llm_lsp.local.server_connection import ServerConnection
from llm_lsp.local.server_process import ALREADY_RUNNING, MISSING_EXTRA, HostOptions
from llm_lsp.local.server_state import ServerFiles, ServerState, files_of, running

# Seconds. A look costs two small files; a small model loads in 0.7 s.
_LOOK_EVERY_S = 0.05
# Seconds until a second start is tried where another process was loading the same model.
_START_AGAIN_S = 2.0
# Seconds for another process to have its server ready: 4.7 GB, the largest of the catalogue, come in 47 from a disk
# that reads 100 MB a second.
_PATIENCE_S = 120.0
# Seconds. A server on this machine answers what needs no model within milliseconds, while it works too.
_ASK_TIMEOUT_S = 1.0
# Seconds that a server gets to end by itself.
_STOP_PATIENCE_S = 3.0

# All that the child sees of our environment: the system's own, and how llama.cpp finds and uses devices.
# Keys of model APIs are in the rest.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|"
    r"USERPROFILE|PYTHONPATH|PYTHONHOME|VIRTUAL_ENV|LD_LIBRARY_PATH|DYLD_\w+|CUDA_\w+|HIP_\w+|ROCR_\w+|VK_\w+|GGML_\w+",
    re.IGNORECASE,
)

Report = Callable[[str], None]
"""Called with one line of progress, for the user."""


class Child(Protocol):
    """A server's process while it starts."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        ...


class _Process(subprocess.Popen[bytes]):
    """A process that is meant to outlive us: Popen would complain of that when it is let go."""

    def __del__(self) -> None:
        pass


def spawn(options: HostOptions) -> Child:
    """Start a server's process, on its own from now on."""
    files = files_of(options.spec, Path(options.folder))
    # -P: the folder that we stand in, which may be anybody's project, gives no modules.
    command = [sys.executable, "-P", "-m", "llm_lsp.local.server_process", options.as_argument()]
    with open(files.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        _begin_log(files, output)
        return _Process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=options.folder,
            env=scrubbed(os.environ),
            **system.detached(),
        )


def _begin_log(files: ServerFiles, log: IO[bytes]) -> None:
    """Empty the log, unless a server lives that writes it."""
    lock = system.FileLock(files.lock)
    # Held for a moment only: a server that starts now looks for longer.
    if lock.try_acquire():
        log.truncate(0)
        lock.release()


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Keep of an environment what a model's server needs; no key of ours is in that."""
    return {name: value for name, value in environment.items() if _ENVIRONMENT.fullmatch(name)}


def answers(state: ServerState) -> bool:
    """Return whether a server answers with its key as the model it should be; blocks for a second at most."""
    connection = ServerConnection(state.port, state.socket, _ASK_TIMEOUT_S)
    try:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {state.key}"})
        response = connection.getresponse()
        body = json.loads(response.read(1 << 16))
        return response.status == 200 and body["data"][0]["id"] == state.spec.model
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return False
    finally:
        connection.close()


class ModelServers:
    """The servers of this machine's user, kept in one folder."""

    def __init__(
        self,
        folder: Path,
        start: Callable[[HostOptions], Child] = spawn,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._start = start
        self._clock = clock
        # Kept so that one that ended is reaped.
        self._children: list[Child] = []

    def running(self) -> list[ServerState]:
        """List the servers that run."""
        return running(self._folder)

    def served(self) -> ServerState | None:
        """Return a server that its user started in the foreground, if it answers; blocks for a second at most each."""
        return next((state for state in self.running() if not state.idle_s and answers(state)), None)

    async def join(self, options: HostOptions, report: Report) -> ServerState:
        """Return the server for a spec when it answers: the one that runs, or a new one.

        Raises ModelServerError where it does not start, or another process holds its place and does not answer.
        Cancelled, it leaves a server that was started alone:
        it ends when idle.
        """
        files = files_of(options.spec, self._folder)
        child: Child | None = None
        start_at = self._clock()
        give_up_at = start_at + _PATIENCE_S
        while True:
            state = await asyncio.to_thread(_look, files)
            if state is not None:
                return state
            if child is None and self._clock() >= start_at:
                report(f"loading {options.spec.model}")
                child = await asyncio.to_thread(self._spawn, options)
            status = child.poll() if child else None
            if status == ALREADY_RUNNING:
                if self._clock() >= give_up_at:
                    raise ModelServerError(_held(options, files))
                child, start_at = None, self._clock() + _START_AGAIN_S
            elif status is not None:
                raise ModelServerError(_why(options, files, status))
            await asyncio.sleep(_LOOK_EVERY_S)

    def stop(self, state: ServerState) -> None:
        """End a server, by force where it does not end by itself; blocks for some seconds at most."""
        files = files_of(state.spec, self._folder)
        system.terminate(state.pid)
        deadline = time.monotonic() + _STOP_PATIENCE_S
        while state.is_running:
            self._reap()
            if time.monotonic() > deadline:
                system.terminate(state.pid, force=True)
            time.sleep(_LOOK_EVERY_S)
        files.clear()

    def _spawn(self, options: HostOptions) -> Child:
        if find_spec("xllamacpp") is None:
            raise LocalModelError(MISSING_EXTRA)
        self._reap()
        child = self._start(options)
        self._children.append(child)
        return child

    def _reap(self) -> None:
        self._children = [child for child in self._children if child.poll() is None]


def _look(files: ServerFiles) -> ServerState | None:
    state = files.read()
    return state if state and answers(state) else None


def _held(options: HostOptions, files: ServerFiles) -> str:
    """Return the error for another process that is in the way, with how to end it."""
    model = options.spec.model
    if files.read():
        return f"the server of {model} runs and does not answer: end it with `llm-lsp model stop {model}`"
    return f"another process holds {files.lock} and serves no {model}: end it, or delete that file"


# An error in llama.cpp's log: time, level, text.
_ERROR_LINE = re.compile(r"^[\d.]+ E (.+)$", re.MULTILINE)


def _why(options: HostOptions, files: ServerFiles, status: int) -> str:
    """Return one line on why a server's process ended: its first error is the cause, the others follow from it."""
    try:
        log = files.log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        log = ""
    errors = _ERROR_LINE.findall(log) or log.strip().splitlines()[-1:]
    cause = errors[0].strip() if errors else f"exit status {status}"
    return f"the server of {options.spec.model} did not start: {cause} (its log: {files.log})"
