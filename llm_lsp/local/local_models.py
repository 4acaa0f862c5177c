"""The models on this machine, and the servers that run them, for the rest of the package."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llm_lsp import system
from llm_lsp.config.settings import LocalConfig
from llm_lsp.core.edits.by_model.edit_families import edit_family_of
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import LocalModelError, NoModelError
from llm_lsp.local import catalogue
from llm_lsp.local.download import ModelDownloader
from llm_lsp.local.measured_speed import SpeedRecords, batch_tokens, unmeasured_threads
from llm_lsp.local.model_servers import Child, ModelServers, Report, spawn
from llm_lsp.local.model_store import LocalModel, ModelStore
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import ServerSpec, ServerState, files_of

# Seconds allowed for reading the first prompt in a file. Later prompts reuse the cache and read only 1 or 2 new tokens
# per keystroke, whatever the prompt's size (docs/local-models.md, Figures).
_READING_S = 10.0
# Tokens. A smaller prompt shows too little of a file, a larger one is not sent to hosted models either.
_LEAST_CONTEXT, _MOST_CONTEXT = 512, 2048
# Tokens if the speed was not measured: as for 100 tokens a second.
_UNMEASURED_CONTEXT = 1024


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """A running model server on this machine."""

    base_url: str
    """For the OpenAI dialect, so it ends in /v1; llama.cpp's own API is at the root."""
    socket: str
    """Path of the Unix socket to connect to instead of the address's host and port; empty if none."""
    key: Secret
    model: str
    gguf: Path
    pid: int
    fim: str
    """Value of the setting `fim`."""
    context_tokens: int
    prompt_tokens_per_s: float | None
    """Prompt tokens read per second on this machine, None if not measured."""

    def prompt_budget(self) -> int:
        """Return how many tokens prompt and answer may have together, like a provider's `context_tokens`.

        Limited by the context window, and by what this machine reads in a tolerable time.
        """
        speed = self.prompt_tokens_per_s
        wanted = _UNMEASURED_CONTEXT if speed is None else int(speed * _READING_S)
        return min(self.context_tokens, max(_LEAST_CONTEXT, min(wanted, _MOST_CONTEXT)))


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """Where model files and server state are stored."""

    models: Path
    state: Path

    @classmethod
    def default(cls) -> LocalPaths:
        """Return the platform's folders for this user."""
        import platformdirs

        models = platformdirs.user_cache_path("llm-lsp", appauthor=False) / "models"
        return cls(models, platformdirs.user_state_path("llm-lsp", appauthor=False))


class LocalModels:
    """The installed models and their servers. Every method but `acquire` is fast, and blocks on files only."""

    def __init__(self, paths: LocalPaths, start: Callable[[HostOptions], Child] = spawn) -> None:
        self.store = ModelStore(paths.models)
        self.fetcher = ModelDownloader(self.store)
        self.speeds = SpeedRecords(paths.state / "speed.json")
        self._folder, self._remark = _servers_folder(paths.state)
        self.servers = ModelServers(self._folder, start)

    def available(self) -> list[LocalModel]:
        """List the installed models, best first."""
        return self.store.here()

    def best(self) -> LocalModel | None:
        """Return the model that "auto" selects, or None."""
        return self.store.best()

    async def acquire(self, config: LocalConfig, report: Report) -> LocalEndpoint:
        """Return a running server for the configured model; start it if there is none.

        "auto" prefers a model that the user serves in the foreground, then the best installed one. `report`
        receives progress messages. Raises LocalModelError with the remedy if no model is installed, the file is
        not a GGUF file, the package extra is missing, or the server does not start.
        """
        if self._remark:
            report(self._remark)
            self._remark = ""
        if config.model == "auto" and (served := await asyncio.to_thread(self.servers.served)):
            return self.endpoint(served)
        model = await asyncio.to_thread(self._wanted, config)
        options = self.options(model, config)
        return self.endpoint(await self.servers.join(options, report))

    async def served_for_edits(self) -> LocalEndpoint | None:
        """Return a server of a model for next edits that the user started in the foreground; None if there is none."""
        served = await asyncio.to_thread(self.servers.served, for_edits=True)
        return self.endpoint(served) if served else None

    def options(self, model: LocalModel, config: LocalConfig, lora: Path | None = None) -> HostOptions:
        """Return the options for starting a model's server."""
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
        """Return how to reach a running server."""
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
        """Return a server's state file, which contains its key."""
        return files_of(state.spec, self._folder).state

    def _wanted(self, config: LocalConfig) -> LocalModel:
        if config.model != "auto":
            model = self.store.find(config.model)
            if edit_family_of(model.name) is not None:
                raise LocalModelError(
                    f"{model.name} writes next edits and does not complete: set another model under [local], "
                    f"and run it with `llm-lsp model serve {model.name}`"
                )
            return model
        best = self.best()
        if best is None:
            raise NoModelError("no model is installed yet: download one with `llm-lsp model pull`")
        return self.store.find(best.name)


def _servers_folder(state: Path) -> tuple[Path, str]:
    """Return the private folder for the servers' files, and a warning for the user or ""."""
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
        f"{wanted} cannot be written: the model server's state is kept in {folder} until the next restart",
    )
