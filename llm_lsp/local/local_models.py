"""The models of this machine as the rest of the package sees them: what is here, and an address that answers.

Knows nothing of LSP, prompts or editors.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llm_lsp import system
from llm_lsp.config.settings import LocalConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import LocalModelError
from llm_lsp.local import catalogue
from llm_lsp.local.download import ModelDownloader
from llm_lsp.local.measured_speed import SpeedRecords, batch_tokens, unmeasured_threads
from llm_lsp.local.model_servers import Child, ModelServers, Report, spawn
from llm_lsp.local.model_store import LocalModel, ModelStore
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import ServerSpec, ServerState, files_of

# Seconds that the first prompt of a file may be read for; the keystrokes after it cost 1 or 2 new tokens, whatever
# its size (docs/local-models.md, Figures).
_READING_S = 10.0
# Tokens. Fewer hold too little of a file to complete from, more are not sent to a hosted model either.
_LEAST_CONTEXT, _MOST_CONTEXT = 512, 2048
# Tokens where nothing was measured: the middle of the two, as 100 tokens a second would give.
_UNMEASURED_CONTEXT = 1024


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """A model server on this machine that answers."""

    base_url: str
    """Of the OpenAI dialect, so with /v1; llama.cpp's own API is beside that, at the root."""
    socket: str
    """Path of the Unix socket that it is asked over, in place of the address's host and port; empty for none."""
    key: Secret
    model: str
    gguf: Path
    pid: int
    fim: str
    """As the setting `fim`."""
    context_tokens: int
    prompt_tokens_per_s: float | None
    """What this machine reads in a second, None where it was not measured."""

    def prompt_budget(self) -> int:
        """Return the tokens that a prompt and its answer may have together, as `context_tokens` of a provider counts.

        No more than the window, and what this machine reads in a time that somebody waits.
        """
        speed = self.prompt_tokens_per_s
        wanted = _UNMEASURED_CONTEXT if speed is None else int(speed * _READING_S)
        return min(self.context_tokens, max(_LEAST_CONTEXT, min(wanted, _MOST_CONTEXT)))


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """Where models and their servers' files are."""

    models: Path
    state: Path

    @classmethod
    def default(cls) -> LocalPaths:
        """Return the platform's folders for this user."""
        import platformdirs

        models = platformdirs.user_cache_path("llm-lsp", appauthor=False) / "models"
        return cls(models, platformdirs.user_state_path("llm-lsp", appauthor=False))


class LocalModels:
    """What is here, and the servers that run it; every method but `acquire` is quick and blocks on files only."""

    def __init__(self, paths: LocalPaths, start: Callable[[HostOptions], Child] = spawn) -> None:
        self.store = ModelStore(paths.models)
        self.fetcher = ModelDownloader(self.store)
        self.speeds = SpeedRecords(paths.state / "speed.json")
        self._folder, self._remark = _servers_folder(paths.state)
        self.servers = ModelServers(self._folder, start)

    def available(self) -> list[LocalModel]:
        """List the models that are here, the best first."""
        return self.store.here()

    def best(self) -> LocalModel | None:
        """Return the model that "auto" selects, or None."""
        return self.store.best()

    async def acquire(self, config: LocalConfig, report: Report) -> LocalEndpoint:
        """Return the address of a running server: join one that runs already, else start it.

        "auto" takes what its user serves in the foreground, before the best model that is here. `report` gets
        lines of progress. Raises LocalModelError with the remedy: no model is here, the file is no GGUF, the extra
        is missing, or the server did not start.
        """
        if self._remark:
            report(self._remark)
            self._remark = ""
        if config.model == "auto" and (served := await asyncio.to_thread(self.servers.served)):
            return self.endpoint(served)
        model = await asyncio.to_thread(self._wanted, config)
        options = self.options(model, config)
        return self.endpoint(await self.servers.join(options, report))

    def options(self, model: LocalModel, config: LocalConfig, lora: Path | None = None) -> HostOptions:
        """Return what the server of a model is started with."""
        speed = self.speeds.get(model.name)
        measured = self.speeds.threads(model.name) or unmeasured_threads(system.available_cores())
        gguf, adapter = os.path.realpath(model.path), os.path.realpath(lora) if lora else ""
        return HostOptions(
            spec=ServerSpec(model.name, gguf, config.context_tokens, adapter),
            folder=str(self._folder),
            threads=measured if config.threads == "auto" else config.threads,
            batch_tokens=batch_tokens(speed),
            idle_s=config.idle_minutes * 60,
        )

    def endpoint(self, state: ServerState) -> LocalEndpoint:
        """Return the address of a server that runs."""
        entry = catalogue.find(state.spec.model)
        speed = self.speeds.get(state.spec.model)
        return LocalEndpoint(
            base_url="http://localhost/v1" if state.socket else f"http://127.0.0.1:{state.port}/v1",
            socket=state.socket,
            key=Secret(state.key),
            model=state.spec.model,
            gguf=Path(state.spec.gguf),
            pid=state.pid,
            fim=entry.fim if entry else "auto",
            context_tokens=state.spec.context_tokens,
            prompt_tokens_per_s=speed.prompt_tokens_per_s if speed else None,
        )

    def state_file(self, state: ServerState) -> Path:
        """Return the state file of a server, which has its key."""
        return files_of(state.spec, self._folder).state

    def _wanted(self, config: LocalConfig) -> LocalModel:
        if config.model != "auto":
            return self.store.find(config.model)
        model = self.best()
        if model is None:
            raise LocalModelError("no model is on this machine yet: fetch one with `llm-lsp model pull`")
        return self.store.find(model.name)


def _servers_folder(state: Path) -> tuple[Path, str]:
    """Return the private folder of the servers' files, and a warning for the user, if any."""
    wanted = state / "servers"
    try:
        folder = system.private_folder(wanted)
        if os.access(folder, os.W_OK):
            return folder, ""
    except OSError:
        pass
    try:
        folder = system.private_temporary_folder("llm-lsp")
    except OSError as exc:
        raise LocalModelError(
            f"neither {wanted} nor {tempfile.gettempdir()} can be written: check permissions"
        ) from exc
    return (
        folder,
        f"{wanted} cannot be written: the model server's state is in {folder}, until the next restart",
    )
