"""Builds the engine from its parts; the only module that imports all of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING

from llm_lsp.cli.files.api_keys import GivenKeys, find_key, secret_values
from llm_lsp.cli.files.key_commands import KeyCommands
from llm_lsp.cli.files.live_settings import LiveSettings
from llm_lsp.cli.files.settings_files import books_file, with_folders
from llm_lsp.config.settings import AUTO, EDIT_MODEL, LOCAL, Config, ProviderConfig
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.fim_families import family_of
from llm_lsp.engine.client.interface import Client
from llm_lsp.engine.clock import LoopClock
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.engine.models.provider_slot import ProviderFinder
from llm_lsp.errors import LlmLspError, LocalModelError, NoEditModelError, NoModelError
from llm_lsp.providers.base import Provider
from llm_lsp.providers.http.peer_check import OURS, KnownPeers, PeerCheck

if TYPE_CHECKING:
    from llm_lsp.core.chat.rewriting import StagedChanges
    from llm_lsp.core.usage.budget import Reservation, SpentTotals
    from llm_lsp.core.usage.record_batch import RecordBatch
    from llm_lsp.core.usage.records import CallRecord
    from llm_lsp.engine.chat.conversation import DialogueStore
    from llm_lsp.local.local_models import LocalEndpoint, LocalModels
    from llm_lsp.usage_store.usage_files import UsageFiles


class ModelFinder:
    """Finds the provider that `provider = …` names: a configured one, a server running on this machine, or our
    own.
    """

    def __init__(self, redactor: Redactor, given: GivenKeys | None = None) -> None:
        """`given` holds keys that are stored nowhere on this machine's account."""
        self._redactor = redactor
        self._given = given
        self._commands = KeyCommands()
        self._peers = KnownPeers()

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        """Find or start the provider; raises LlmLspError with the remedy."""
        if config.provider == AUTO:
            return await self._auto(config, report)
        if config.provider == LOCAL:
            return await self._own(config, report)
        if config.provider == EDIT_MODEL:
            return await self._served_for_edits()
        settings = config.providers[config.provider]
        source = KeySource(settings, self._redactor, self._given, self._commands)
        return await configured(settings, source, self._peers)

    async def _auto(self, config: Config, report: Callable[[str], None]) -> Provider:
        from llm_lsp.providers.discovery.discover import discover

        found = await discover()
        if found.chosen is not None:
            # The user named no server, so it must belong to the user or the system.
            chosen = replace(found.chosen, unvouched=True)
            return await configured(chosen, KeySource(chosen, self._redactor), self._peers)
        try:
            return await self._own(config, report)
        except LocalModelError as exc:
            raise no_model(exc) from exc

    async def _own(self, config: Config, report: Callable[[str], None]) -> Provider:
        """Connect to the model server on this machine, or start it."""
        return self._at(LOCAL, await self._local.acquire(config.local, report))

    async def _served_for_edits(self) -> Provider:
        """Connect to a model for next edits that the user serves; raises NoEditModelError if there is none."""
        endpoint = await self._local.served_for_edits()
        if endpoint is None:
            raise NoEditModelError(
                "no model for next edits is named, and none is served: see docs/next-edits.md"
            )
        return self._at("edit-model", endpoint)

    def _at(self, name: str, endpoint: LocalEndpoint) -> Provider:
        """Return the provider of a model server on this machine."""
        from llm_lsp.providers.provider_factory import CONTEXT_TOKENS, make_provider

        is_known = endpoint.prompt_tokens_per_s is not None or endpoint.context_tokens < CONTEXT_TOKENS
        # Via /completion, which has no limit on stop strings and reports cached tokens.
        settings = ProviderConfig(
            name,
            "llamacpp-infill",
            endpoint.base_url,
            endpoint.model,
            fim=family_of(endpoint.model) or "none",
            # A speed that was not measured shows itself in the first prompt.
            context_tokens=endpoint.prompt_budget() if is_known else "auto",
            local=True,
            free=True,
        )
        return make_provider(settings, endpoint.key, peer=PeerCheck(name, OURS), socket=endpoint.socket)

    @cached_property
    def _local(self) -> LocalModels:
        # Created once per process: it reaps the servers it has started.
        from llm_lsp.local.local_models import LocalModels, LocalPaths

        return LocalModels(LocalPaths.default())


def no_model(cause: LlmLspError) -> LocalModelError:
    """Return the error for "no model", with both remedies."""
    return (NoModelError if isinstance(cause, NoModelError) else LocalModelError)(
        f"{cause}; or use a model API: llm-lsp provider add NAME (llm-lsp provider list shows the names)"
    )


class KeySource:
    """Where a provider's key comes from; each key that is found is added to what is redacted."""

    def __init__(
        self,
        config: ProviderConfig,
        redactor: Redactor,
        given: GivenKeys | None = None,
        commands: KeyCommands | None = None,
    ) -> None:
        self._config = config
        self._redactor = redactor
        self._given = given
        self._commands = commands
        self._known: Secret | None = None

    async def find(self) -> Secret | None:
        """Return the key, read again from its source; raises LlmLspError if it is missing."""
        key = await find_key(self._config, self._given, self._commands, self._known)
        if key is not None:
            has_expired = self._known is not None and self._known.lifetime is not None
            self._redactor.hide(key.reveal(), self._known.reveal() if has_expired and self._known else "")
        self._known = key
        return key


async def configured(config: ProviderConfig, source: KeySource, peers: KnownPeers) -> Provider:
    """Build a provider from its settings.

    A server that only the editor's settings enabled, or a model that no setting names, is checked first. Raises
    LlmLspError if the key is missing or the provider may not be used.
    """
    from llm_lsp.providers.catalogue.model_listing import with_model
    from llm_lsp.providers.catalogue.prices import is_worth_asking, with_price
    from llm_lsp.providers.catalogue.similar_models import name_models
    from llm_lsp.providers.discovery.owner_check import check_owner, check_place
    from llm_lsp.providers.http.provider import Remedies
    from llm_lsp.providers.provider_factory import make_provider

    peer = peers.check_for(config)
    if config.unvouched:
        await asyncio.to_thread(check_owner, config)
    key = await source.find()
    ready = await with_model(config, key, peer)
    if config.unvouched or not config.model:
        await check_place(ready, key, peer)
    remedies = Remedies(source.find, partial(name_models, ready, peer=peer))
    if is_worth_asking(ready):
        ready = await asyncio.to_thread(with_price, ready)
    return make_provider(ready, key, remedies, peer=peer)


class LateStore:
    """The usage store, opened and imported in the thread that first needs it, so that no completion waits for
    it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._store: UsageFiles | None = None

    def write(self, batch: RecordBatch) -> None:
        """See UsageStore."""
        self._opened().write(batch)

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord]
    ) -> Reservation:
        """See UsageStore."""
        return self._opened().reserve(call, allows, settled)

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        """See UsageStore."""
        return self._opened().settle(at, calls)

    def close(self) -> None:
        """See UsageStore."""
        if self._store is not None:
            self._store.close()

    def _opened(self) -> UsageFiles:
        # One store per process: its rows are marked with the store's name.
        with self._lock:
            if self._store is None:
                from llm_lsp.usage_store.usage_files import UsageFiles

                self._store = UsageFiles(books_file())
            return self._store


def staged_changes(folder: str) -> StagedChanges:
    """Read what will be committed in a folder, given its URI; raises GitError."""
    from pathlib import Path
    from urllib.parse import unquote, urlsplit
    from urllib.request import url2pathname

    from llm_lsp.core.chat.rewriting import MAX_SUBJECTS, StagedChanges, StagedFile
    from llm_lsp.evaluation.corpus.git_repository import GitRepository

    repository = GitRepository(Path(url2pathname(unquote(urlsplit(folder).path))))
    files = tuple(StagedFile(*each) for each in repository.staged())
    return StagedChanges(files, tuple(repository.subjects(MAX_SUBJECTS)))


def append_audit(file: str, lines: Sequence[str]) -> int:
    """Append lines to the audit file; imported at the first call that is recorded."""
    from llm_lsp.usage_store.audit_file import append_lines

    return append_lines(file, lines)


def dialogue_files() -> DialogueStore:
    """Return the store of conversations; imported at the first question."""
    from llm_lsp.cli.files.dialogue_files import DialogueFiles

    return DialogueFiles.default()


def build_engine(
    stack: SettingsStack,
    client: Client,
    in_front: Callable[[ProviderFinder], ProviderFinder] = lambda finder: finder,
    live: LiveSettings | None = None,
) -> CompletionEngine:
    """Build the engine for a server or a command; call it inside the event loop.

    With `live`, settings files are read again when they change. `in_front` can wrap the finder, and with it
    every provider.
    """
    redactor = Redactor()
    for value in secret_values(os.environ):
        redactor.hide(value)
    given = GivenKeys()
    finder = in_front(ModelFinder(redactor, given))
    world = EngineDependencies(
        finder,
        live.with_folders if live else with_folders,
        LoopClock(),
        live,
        redactor,
        LateStore(),
        append_audit,
        dialogue_files,
        staged=staged_changes,
        take_keys=given.put,
    )
    return CompletionEngine(stack, world, client)
