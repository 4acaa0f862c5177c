"""The engine for LSP handlers and commands: documents in, completions out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llm_lsp.config.settings import AUTO, LOCAL
from llm_lsp.config.settings_layers import Layer, SettingsStack, by_source
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.context.notebook_cells import NotebookCell
from llm_lsp.core.privacy.admission import admit_document
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.privacy.secret import GivenKey
from llm_lsp.core.request import Completion, CompletionRequest, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.engine.client.interface import Client, EditorSource
from llm_lsp.engine.client.manual_progress import ManualProgress
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock, InThread
from llm_lsp.engine.completion.alternatives import Alternatives
from llm_lsp.engine.completion.job import PreparedPrompt
from llm_lsp.engine.completion.pipeline import CompletionPipeline
from llm_lsp.engine.context.collector import ContextCollector
from llm_lsp.engine.edits.next_edits import NextEdits
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_slot import ProviderFinder
from llm_lsp.engine.models.registry import ProviderRegistry
from llm_lsp.engine.privacy.document_guard import DocumentGuard
from llm_lsp.engine.usage.audit_log import AppendLines, AuditLog
from llm_lsp.engine.usage.ledger import Ledger, UsageStore
from llm_lsp.engine.usage.recorder import UsageRecorder
from llm_lsp.engine.workspace.settings_reloader import SettingsFileReader, SettingsReloader
from llm_lsp.engine.workspace.stated_indents import EDITOR_CONFIG, StatedIndents
from llm_lsp.engine.workspace.workspace import Workspace
from llm_lsp.errors import ConfigError

if TYPE_CHECKING:
    from llm_lsp.core.chat.dialogue import ChatQuestion, ChatReply
    from llm_lsp.core.chat.rewriting import RewriteAnswer, RewriteQuestion
    from llm_lsp.core.edits.next_edit import EditRequest, OfferedEdit
    from llm_lsp.engine.chat.conversation import ChatService, DialogueStore
    from llm_lsp.engine.chat.rewriting import RewriteService, StagedReader

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineDependencies:
    """What the engine needs from outside: files, keys, providers, the clock."""

    finder: ProviderFinder
    with_folders: Callable[[SettingsStack, Iterable[str]], SettingsStack]
    """Replaces the workspace settings files by those of these folders (URIs)."""
    clock: Clock
    settings_files: SettingsFileReader | None = None
    """Rereads settings files that have changed; None if they never change."""
    redactor: Redactor = field(default_factory=Redactor)
    """Redacts secrets, including the API keys in use."""
    store: UsageStore | None = None
    """Where usage is recorded; None records nothing."""
    append_audit: AppendLines | None = None
    """Appends to the audit file; None records no calls there."""
    dialogues: Callable[[], DialogueStore] | None = None
    """Returns the store of conversations; None keeps them in memory."""
    staged: StagedReader | None = None
    """Reads what will be committed in a folder; None reads no repository."""
    take_keys: Callable[[Sequence[GivenKey]], None] = lambda given: None
    """Holds keys that the editor keeps, for the process's life."""
    in_thread: InThread = asyncio.to_thread
    """Runs work that reads files."""
    utc: Callable[[], float] = time.time
    """Returns seconds since 1970."""


class CompletionEngine:
    """Connects all parts of the engine; one for a server or a command."""

    def __init__(self, stack: SettingsStack, world: EngineDependencies, client: Client) -> None:
        self._stack = stack
        self._world = world
        self._clock = clock = world.clock
        self._client = client
        self._notifications = Notifications(client, clock.now)
        self._status = ServerStatus(client, clock)
        self._workspace = Workspace(clock.now)
        self.registry = ProviderRegistry(world.finder, client, self._notifications, self._status, clock)
        self._collector = ContextCollector(self._workspace, self.registry, clock, world.in_thread)
        self._document_guard = DocumentGuard(clock.now, world.in_thread)
        ledger = Ledger(world.store, self._notifications, self._status, clock, world.utc)
        audit = AuditLog(world.append_audit, self._notifications, clock, world.in_thread)
        self._recorder = UsageRecorder(ledger, self._workspace.document, clock, world.utc, audit)
        self._models = ModelAccess(
            self.registry, self._document_guard, world.redactor, self._recorder, self._status, clock
        )
        self._pipeline = CompletionPipeline(
            self._models, self._workspace, self._collector, self._recorder, self._notifications, clock
        )
        self.edits = NextEdits(
            self._models,
            self._workspace,
            self._recorder,
            self._status,
            world.redactor,
            clock,
            world.in_thread,
        )
        self._alternatives = Alternatives(self._pipeline, self.next_id)
        self._waiting = ManualProgress(client, self._status, clock)
        self._folders: tuple[str, ...] = ()
        self._troubled: frozenset[str] = frozenset()
        """The sources whose settings have problems."""
        self._files = SettingsReloader(
            world.settings_files,
            lambda: (self._stack, self._folders),
            self._use_files,
            clock,
            world.in_thread,
        )
        self._indents = StatedIndents(world.in_thread)
        self._next_id = 0
        self._apply()

    def configure(
        self,
        source: EditorSource,
        settings: Mapping[str, object],
        users: Mapping[str, object] | None = None,
    ) -> None:
        """Replace the editor settings from a source; `users` are the user's own settings."""
        self._stack = self._stack.with_layer(source, settings)
        if users is not None:
            self._stack = self._stack.with_layer(SettingsSource.EDITOR_USER, users)
        self._apply()
        self.registry.release()

    def take_keys(self, given: Sequence[GivenKey]) -> None:
        """Use keys that the editor keeps, for providers of the user's own file; before any model is needed."""
        self._world.take_keys(given)

    @property
    def settings_files(self) -> tuple[Path, ...]:
        """Files outside of workspace folders that the client should watch; empty if settings files are not
        reread.
        """
        return self._world.settings_files.watched() if self._world.settings_files else ()

    def settings_changed(self) -> None:
        """Read the settings files again a moment later, if they changed."""
        self._files.look_soon()
        self._indents.look_again()

    def saved(self, uri: str) -> None:
        """Check whether the saved document is a settings file."""
        self._files.look()
        if uri.endswith(f"/{EDITOR_CONFIG}"):
            self._indents.look_again()

    def expect_settings(self) -> None:
        """Delay the search for a model until requested settings arrive, for a second at most."""
        self.registry.hold()

    def set_folders(self, folders: tuple[str, ...]) -> None:
        """Use these workspace folders (URIs), and read their settings files."""
        self._folders = folders
        self._document_guard.set_folders(folders)
        self._stack = self._world.with_folders(self._stack, folders)
        self._apply()

    def open(self, document: Document) -> None:
        """Add an opened document, and start to find a model for it."""
        self._workspace.open(document)
        self._files.look()
        if self._is_completed(document):
            self._document_guard.look(document.uri)
            self.registry.open(document)
            self._collector.touched(document.uri)
            self._indents.look(document.uri)

    async def ready(self, document: Document) -> None:
        """Wait until a document's model is ready or none was found; return at once if it gets no completions."""
        if self._is_completed(document):
            await self._document_guard.known(document.uri)
            await self._indents.known(document.uri)
            await self.registry.ready(document)

    def change(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Replace a document by its new version."""
        old = self._workspace.document(document.uri)
        self._workspace.change(document, edits)
        if old is not None:
            self.edits.edited(old, document, edits)
        self._collector.touched(document.uri)
        self._recorder.edited(document, edits)
        self._pipeline.edited(document, edits)

    def close(self, uri: str) -> None:
        """Forget a document, and answer its waiting requests."""
        self._workspace.close(uri)
        self._collector.closed(uri)
        self.edits.closed(uri)
        self._indents.closed(uri)
        self._document_guard.closed(uri)
        self._pipeline.close_document(uri)
        self._recorder.closed(uri)

    def arrange(self, notebook: str, cells: tuple[NotebookCell, ...]) -> None:
        """Record the order of a notebook's cells; none forgets the notebook."""
        self._workspace.arrange(notebook, cells)

    def document(self, uri: str) -> Document | None:
        """Return the newest snapshot of an open document, or None."""
        return self._workspace.document(uri)

    async def prepare(self, document: Document, point: Point) -> None:
        """Collect context for a cursor in an open document, as after a pause in an editor."""
        await self._collector.prepare(document, point)

    def next_id(self) -> int:
        """Return a number for a request, unique in this process."""
        self._next_id += 1
        return self._next_id

    def now(self) -> float:
        """Return the engine's time in seconds, for a request's `asked_at`."""
        return self._clock.now()

    async def complete(
        self, request: CompletionRequest, progress: Callable[[str], None] | None = None
    ) -> Completion | Skip:
        """Answer a request; raises nothing except its own cancellation."""
        if request.patience is Patience.ASKED:
            await self._files.looked()
        if request.face == "menu" and not self._wants_menu():
            return Skip(Reason.MENU_OFF)
        self._workspace.visit(request.document.uri, request.point)
        self._collector.touched(request.document.uri, edited=False)
        log, request = RequestLog(), self._indented(request)
        with self._recorder.open(request, log), self._waiting.shown(request.id, request.patience):
            result = self._status.off() or await self._pipeline.complete(request, log, progress)
        if isinstance(result, Skip):
            LOG.debug("request %d: %s", request.id, result.reason.name)
        self._recorder.answered(request, result, log)
        return result

    async def suggestions(self, request: CompletionRequest) -> tuple[Completion, ...]:
        """Answer a request with all choices, best first; there are several only if a manual request is repeated."""
        request = self._indented(request)
        first = await self.complete(request)
        if isinstance(first, Skip):
            return ()
        with self._waiting.shown(request.id, request.patience):
            return (first, *await self._alternatives.beside(request, first))

    def _indented(self, request: CompletionRequest) -> CompletionRequest:
        """Return a request with the indentation that the project's files define, which overrides the client's."""
        unit = self._indents.unit(request.document.uri)
        return replace(request, indent=unit) if unit else request

    async def ask(self, inquiry: ChatQuestion, progress: Callable[[str], None] = lambda _: None) -> ChatReply:
        """Answer a question about code, calling `progress` with each piece of the answer; raises LlmLspError."""
        request = self._chat.request(inquiry, self.next_id())
        with self._waiting.shown(request.id, request.patience):
            return await self._chat.ask(inquiry, request, progress)

    async def rewrite(
        self, question: RewriteQuestion, progress: Callable[[str], None] = lambda _: None
    ) -> RewriteAnswer:
        """Return new text for some lines, calling `progress` with the text so far; raises LlmLspError."""
        request = self._rewriter.request(self.next_id(), question.document)
        with self._waiting.shown(request.id, request.patience):
            return await self._rewriter.rewrite(question, request, progress)

    async def commit_message(self, folder: str) -> str:
        """Return a message for what is staged in a workspace folder (URI); raises LlmLspError."""
        number = self.next_id()
        with self._waiting.shown(number, Patience.ASKED):
            return await self._rewriter.commit_message(folder, number)

    def question(self, request: CompletionRequest) -> PreparedPrompt | Skip:
        """Return what would be sent to a model for a request, without sending it."""
        return self._pipeline.prepared(request)

    def accepted(self, completion_id: str) -> None:
        """Record that a completion was accepted; an unknown id is ignored."""
        LOG.debug("accepted %s", completion_id)
        if self.edits.accepted(completion_id):
            return
        if chosen := self._alternatives.take(completion_id):
            self._recorder.shown(*chosen)
        self._pipeline.accepted(completion_id)
        self._recorder.accepted(completion_id)

    async def next_edit(self, request: EditRequest, *, may_wait: bool = True) -> OfferedEdit | Skip:
        """Return the edit that follows from the last change, or why none; `may_wait` waits for the name typed."""
        return await self.edits.next_edit(request, may_wait=may_wait)

    def dismissed(self, offer_id: str) -> None:
        """Record that the user dismissed a next edit or a completion; an unknown id is no error."""
        self.edits.dismissed(offer_id)
        self._pipeline.dismissed(offer_id)

    def toggle(self) -> bool:
        """Switch completions off, or on if they are off or snoozed; return whether they are on now."""
        is_on = self._status.toggle()
        self._switched()
        return is_on

    def snooze(self, minutes: float) -> None:
        """Pause completions for some minutes; 0 ends the pause."""
        self._status.snooze(minutes)
        self._switched()

    def select_provider(self, name: str) -> None:
        """Use another provider from now on; raises ConfigError if it may not be used."""
        stack = self._stack.with_layer(SettingsSource.CHOICE, {"provider": name})
        if stack.resolve().config.provider != name:
            raise ConfigError(f"provider {name} is not enabled; run: llm-lsp provider add {name}")
        self._stack = stack
        self._apply()

    def provider_names(self) -> list[str]:
        """Return the names that `select_provider` takes, the one in use first."""
        config = self.registry.runtime.config
        return list(dict.fromkeys((config.provider, *sorted(config.providers), AUTO, LOCAL)))

    def explain(self) -> str:
        """Return a description of how the last request was answered, and why."""
        return self._recorder.explain()

    async def aclose(self) -> None:
        """Answer all requests; close all calls and connections."""
        await self._files.aclose()
        await self._indents.aclose()
        await self._collector.aclose()
        await self.edits.aclose()
        await self._document_guard.aclose()
        await self._pipeline.aclose()
        await self.registry.aclose()
        await self._recorder.aclose()
        self._status.close()

    @cached_property
    def _chat(self) -> ChatService:
        # Imported at the first question: completions do not need it.
        from llm_lsp.engine.chat.conversation import ChatService, InMemoryDialogues

        dialogues = (self._world.dialogues or InMemoryDialogues)()
        return ChatService(self._models, dialogues, self._notifications, self._clock)

    @cached_property
    def _rewriter(self) -> RewriteService:
        from llm_lsp.engine.chat.rewriting import RewriteService

        return RewriteService(self._models, self._world.staged, self._clock, self._world.in_thread)

    def _use_files(self, layers: tuple[Layer, ...]) -> None:
        LOG.info("the settings files were read again")
        stack = self._stack.with_files(layers)
        # The later one counts: a use of the select command, or an edit of `provider` in a file.
        before, after = (each.without(SettingsSource.CHOICE) for each in (self._stack, stack))
        is_chosen_anew = before.resolve().config.provider != after.resolve().config.provider
        self._stack = after if is_chosen_anew else stack
        self._apply()

    def _apply(self) -> None:
        resolved = self._stack.resolve()
        problems = by_source(resolved.problems)
        for source in self._troubled.difference(problem.source for problem in problems):
            self._notifications.over(f"settings {source}")
        self._troubled = frozenset(problem.source for problem in problems)
        for each in problems:
            self._notifications.say(f"settings {each.source}", "warning", f"{each.source}: {each.message}")
        self._status.configure(enabled=resolved.config.enabled)
        self.registry.apply(resolved.config, self._folders)
        self._recorder.set_folders(self._folders)
        self._recorder.configure(resolved.config)

    def _switched(self) -> None:
        if off := self._status.off():
            self._pipeline.switched_off(off)

    def _is_completed(self, document: Document) -> bool:
        runtime = self.registry.runtime
        return admit_document(document, runtime.rules) is None and not runtime.exclusion.covers(document.uri)

    def _wants_menu(self) -> bool:
        menu = self.registry.runtime.config.completion.menu
        return menu == "always" or (menu == "auto" and not self._client.has_inline)
