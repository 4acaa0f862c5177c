"""Connects to the model server running on this machine, or starts it."""

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
from llm_lsp.core.edits.by_model.edit_families import edit_family_of
from llm_lsp.errors import LocalModelError, ModelServerError
from llm_lsp.local.server_connection import ServerConnection
from llm_lsp.local.server_process import ALREADY_RUNNING, HostOptions, missing_server
from llm_lsp.local.server_state import ServerFiles, ServerState, files_of, running

# Seconds between two checks for a starting server. A check reads two small files; a small model loads in 0.7 s.
_LOOK_EVERY_S = 0.05
# Seconds until a second start is tried if another process was loading the same model.
_START_AGAIN_S = 2.0
# Seconds to wait for another process's server: the largest catalogue model, 4.7 GB, takes 47 s to load from a disk
# that reads 100 MB a second.
_PATIENCE_S = 120.0
# Seconds. A local server answers requests that need no model within milliseconds, even while it is busy.
_ASK_TIMEOUT_S = 1.0
# Seconds a server gets to end before it is killed.
_STOP_PATIENCE_S = 3.0

# The environment variables that are passed to the child: the system's own, and those that configure llama.cpp's
# devices. The others may hold API keys.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|"
    r"USERPROFILE|PYTHONPATH|PYTHONHOME|VIRTUAL_ENV|LD_LIBRARY_PATH|DYLD_\w+|CUDA_\w+|HIP_\w+|ROCR_\w+|VK_\w+|GGML_\w+",
    re.IGNORECASE,
)

Report = Callable[[str], None]
"""Called with one line of progress for the user."""


class Child(Protocol):
    """The process of a starting server."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit status, None while the process runs."""
        ...


class _Process(subprocess.Popen[bytes]):
    """A process that outlives us; Popen would warn about that when it is garbage-collected."""

    def __del__(self) -> None:
        pass


def spawn(options: HostOptions) -> Child:
    """Start a detached server process."""
    files = files_of(options.spec, Path(options.folder))
    # -P: do not import modules from the current folder, which may be an untrusted repository.
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
    """Truncate the log, unless a running server writes to it."""
    lock = system.FileLock(files.lock)
    # Held only briefly: a server that starts meanwhile waits longer for the lock.
    if lock.try_acquire():
        log.truncate(0)
        lock.release()


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that a model server needs, without any of our keys."""
    return {name: value for name, value in environment.items() if _ENVIRONMENT.fullmatch(name)}


def answers(state: ServerState) -> bool:
    """Check whether a server answers, with its key, as the expected model; blocks for at most a second."""
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
    """The model servers of this user, with their files in one folder."""

    def __init__(
        self,
        folder: Path,
        start: Callable[[HostOptions], Child] = spawn,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._start = start
        self._clock = clock
        # Kept so that ended processes are reaped.
        self._children: list[Child] = []

    def running(self) -> list[ServerState]:
        """List the running servers."""
        return running(self._folder)

    def served(self, *, for_edits: bool = False) -> ServerState | None:
        """Return a server that the user started in the foreground, if one answers; blocks for at most a second
        each.

        A model that is trained for next edits does not complete, so it is only returned `for_edits`.
        """
        fitting = (
            state
            for state in self.running()
            if not state.idle_s and (edit_family_of(state.spec.model) is not None) is for_edits
        )
        return next((state for state in fitting if answers(state)), None)

    async def join(self, options: HostOptions, report: Report) -> ServerState:
        """Return the server for a spec once it answers: the running one, or a new one.

        Raises ModelServerError if it does not start, or another process holds its lock and does not answer.
        If cancelled, leaves a started server running; it ends when idle.
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
        """Stop a server, and kill it if it does not end by itself; blocks for a few seconds at most."""
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
            raise LocalModelError(missing_server())
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
    """Return the error for a lock held by a process that does not answer, with how to end it."""
    model = options.spec.model
    if files.read():
        return f"the server for {model} is running but does not answer: stop it with `llm-lsp model stop {model}`"
    return f"another process holds {files.lock} but does not serve {model}: end it, or delete that file"


# An error in llama.cpp's log: time, level, text.
_ERROR_LINE = re.compile(r"^[\d.]+ E (.+)$", re.MULTILINE)


def _why(options: HostOptions, files: ServerFiles, status: int) -> str:
    """Explain in one line why a server's process ended: the first error in its log is the cause, later ones
    follow from it.
    """
    try:
        log = files.log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        log = ""
    errors = _ERROR_LINE.findall(log) or log.strip().splitlines()[-1:]
    cause = errors[0].strip() if errors else f"exit status {status}"
    return f"the server for {options.spec.model} did not start: {cause} (its log: {files.log})"
