"""Runs the commands that print API keys, one run at a time for each, and holds their keys in memory only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.issued_key import KeyOutputError, issued_key
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import AuthError
from llm_lsp.system import kill_tree

# Seconds. Too short to type a password: a locked password manager must be unlocked beforehand.
COMMAND_TIMEOUT_S = 10.0
# Seconds after a failure in which the command is not run again: it may open a window of the browser to sign in.
RETRY_S = 30.0
# Bytes of output that are read; a key has at most 8 KiB.
MAX_OUTPUT_BYTES = 1 << 16


@dataclass(slots=True)
class _Command:
    """The state of one command."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    n_runs: int = 0
    key: Secret | None = None
    fault: str = ""
    """Why the last run failed, without the provider's name."""
    failed_at: float = float("-inf")


class KeyCommands:
    """Holds the keys of all commands; one per process."""

    def __init__(
        self, utc: Callable[[], float] = time.time, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._utc = utc
        self._now = now
        self._commands: dict[tuple[str, ...], _Command] = {}

    async def key(self, config: ProviderConfig, known: Secret | None = None) -> Secret:
        """Return a key from a provider's command, other than `known` if possible; raises AuthError.

        Requests at the same time share one run, even for different providers. A held key that expires and is not due
        for renewal needs no run. Shortly after a failure the command is not run again, and the failure is raised.
        """
        command = self._commands.setdefault(config.api_key_command, _Command())
        n_seen = command.n_runs
        async with command.turn:
            is_new_run = command.n_runs != n_seen
            if not is_new_run and not self._is_usable(command, known):
                is_new_run = await self._run(config, command)
            if command.fault and (is_new_run or self._is_resting(command)):
                raise AuthError(f"{config.name}: {command.fault}")
            assert command.key is not None
            return command.key

    def _is_usable(self, command: _Command, known: Secret | None) -> bool:
        """Return whether no run is needed: a fresh key is held, or the last run has just failed."""
        if self._is_resting(command):
            return True
        held = command.key
        if held is None or held.lifetime is None or held == known:
            return False
        return self._utc() < held.lifetime.refresh_at

    def _is_resting(self, command: _Command) -> bool:
        return bool(command.fault) and self._now() < command.failed_at + RETRY_S

    async def _run(self, config: ProviderConfig, command: _Command) -> bool:
        program = config.api_key_command[0]
        try:
            output = await _output(config.api_key_command)
            command.key, command.fault = issued_key(output, self._utc()), ""
        except KeyOutputError as exc:
            command.fault = f"the key command {program} printed {exc}"
        except AuthError as exc:
            command.fault = f"the key command {program} {exc}"
        command.n_runs += 1
        if command.fault:
            command.failed_at = self._now()
        return True


async def _output(words: tuple[str, ...]) -> str:
    """Run a command and return what it prints; raises AuthError with the end of a sentence, never with output."""
    try:
        # Not in the current folder, which may be an untrusted repository.
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=Path.home(),
        )
    except OSError as exc:
        raise AuthError(f"cannot be run: {exc.strerror}") from exc
    try:
        output = await asyncio.wait_for(_read(process), COMMAND_TIMEOUT_S)
    except BaseException as exc:
        # Also when the caller is cancelled: the command must not stay behind.
        kill_tree(process.pid)
        await process.wait()
        if not isinstance(exc, TimeoutError):
            raise
        raise AuthError("did not finish; run it in a terminal to see why") from exc
    if process.returncode:
        raise AuthError(f"failed with status {process.returncode}")
    return output.decode("utf-8", "replace")


async def _read(process: asyncio.subprocess.Process) -> bytes:
    """Return a process's output; raises AuthError if it is far too long for a key."""
    assert process.stdout is not None
    output = b""
    while piece := await process.stdout.read(MAX_OUTPUT_BYTES):
        output += piece
        if len(output) > MAX_OUTPUT_BYTES:
            raise AuthError(f"printed more than {MAX_OUTPUT_BYTES >> 10} KiB")
    await process.wait()
    return output
