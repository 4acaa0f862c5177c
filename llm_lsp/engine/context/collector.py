"""Collects context during pauses in typing, and selects from it for each request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from llm_lsp.config.settings import ContextConfig
from llm_lsp.core.context.ranking import (
    Candidate,
    ContextSelection,
    PreparedContext,
    VisibleRange,
    choose,
    context_budget,
)
from llm_lsp.core.context.snippet import CONTEXT_SOURCES, ContextSource
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.prompt.fim_families import LEAST_LIKENESS, FimFamily, family_for
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point
from llm_lsp.engine.clock import Clock, InThread, Timer
from llm_lsp.engine.context.snippet_sources import ContextSources, ContextView
from llm_lsp.engine.models.registry import ProviderRegistry, Runtime
from llm_lsp.engine.workspace.workspace import Workspace
from llm_lsp.errors import InternalError

LOG = logging.getLogger(__name__)

# Seconds without an edit before new context replaces the old. A changed prompt has to be read again by the model, so
# this happens while no request waits. Same value as llama.vim.
IDLE_S = 3.0
# Seconds after a document is opened or entered: the model has none of it cached, so there is nothing to lose.
ARRIVAL_S = 0.1
# Tokens of a prompt if the model is not known yet: 2,048 without 128 for the answer.
USUAL_BUDGET_TOKENS = 1920.0


class ContextCollector:
    """The prepared context of each document."""

    def __init__(
        self,
        workspace: Workspace,
        registry: ProviderRegistry,
        clock: Clock,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        self._workspace = workspace
        self._registry = registry
        self._clock = clock
        self._in_thread = in_thread
        self._survey_sources = ContextSources()
        self._surveying = asyncio.Lock()
        self._ready: dict[str, PreparedContext] = {}
        self._exclusion: Exclusion | None = None
        """The exclusion rules that the prepared context follows."""
        self._uri = ""
        """The document that the user is in."""
        self._due_at = 0.0
        self._timer: Timer | None = None
        self._wakes_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def touched(self, uri: str, *, edited: bool = True) -> None:
        """Record that a document was opened, edited or entered; its context is collected after a pause."""
        is_new = uri != self._uri or uri not in self._ready
        if not (is_new or edited):
            return
        self._uri = uri
        self._due_at = self._clock.now() + (ARRIVAL_S if is_new else IDLE_S)
        if self._task is None and (self._timer is None or self._due_at < self._wakes_at):
            self._wake_at(self._due_at)

    def closed(self, uri: str) -> None:
        """Forget a document's context, and its text in other documents' context, which may be unsaved changes."""
        self._ready.pop(uri, None)
        for other, prepared in self._ready.items():
            self._ready[other] = prepared.without(uri)

    def gather(
        self,
        document: Document,
        budget_tokens: float,
        runtime: Runtime,
        profile: Profile,
        without: Collection[str] = (),
    ) -> ContextSelection:
        """Select from the prepared context, but not `without` (URIs); reads no files and waits for nothing."""
        settings = runtime.config.context
        prepared = self._fitting(runtime).get(document.uri)
        if prepared is None:
            return ContextSelection()
        return choose(
            prepared,
            _wanted(settings, profile),
            context_budget(budget_tokens, document.text, settings.share),
            lambda uri: uri in without or runtime.exclusion.covers(uri),
        )

    async def prepare(self, document: Document, point: Point) -> None:
        """Prepare the context for a cursor in an open document immediately."""
        runtime = self._registry.runtime
        known = self._registry.profile(document)
        profile, budget_tokens = known or (None, USUAL_BUDGET_TOKENS)
        sources = _sources(runtime.config.context, profile)
        is_open = self._workspace.document(document.uri) is not None
        if not (is_open and sources and runtime.config.context.share):
            return
        view = ContextView(
            document,
            point,
            VisibleRange.around(point, budget_tokens),
            self._workspace.documents(),
            self._workspace.edit_history,
            runtime.folders,
            runtime.exclusion,
            sources,
            self._clock.now(),
        )
        async with self._surveying:
            before = self._fitting(runtime).get(document.uri, PreparedContext())
            prepared = await self._in_thread(lambda: self._survey_sources.prepare(view, before))
        if (
            self._workspace.document(document.uri) is None
            or self._registry.runtime.exclusion != view.exclusion
        ):
            return
        for gone in view.open:
            if self._workspace.document(gone.uri) is None:
                prepared = prepared.without(gone.uri)
        self._ready[document.uri] = prepared
        LOG.debug("context of %s: %d pieces are ready", document.uri, len(prepared.ranked))
        for left in prepared.left_out:
            LOG.debug("context without %s: %s", left.path, left.why)

    async def aclose(self) -> None:
        """Prepare nothing more."""
        if self._timer:
            self._timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _fitting(self, runtime: Runtime) -> dict[str, PreparedContext]:
        """Return the prepared context, unless it was selected under other exclusion rules."""
        if self._exclusion is not runtime.exclusion:
            self._exclusion = runtime.exclusion
            self._ready.clear()
        return self._ready

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = when
        self._timer = self._clock.call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._clock.now() < self._due_at:
            # More edits have come: one timer serves a whole burst of them.
            self._wake_at(self._due_at)
        else:
            self._task = asyncio.create_task(self._prepare_quietly(self._due_at))

    async def _prepare_quietly(self, due_at: float) -> None:
        document = self._workspace.document(self._uri)
        try:
            if document is not None:
                await self.prepare(document, self._workspace.edit_history.place_in(document))
        except Exception as exc:
            # After a bug of ours, completions work without context.
            LOG.error("no context: %s", InternalError.of(exc))
        finally:
            self._task = None
        if self._due_at != due_at:
            self._wake_at(self._due_at)


def _wanted(settings: ContextConfig, profile: Profile) -> Callable[[Candidate], bool]:
    """Return a predicate for the candidates that a model gets."""
    sources, family = _sources(settings, profile), _family(profile)
    least = family.least_likeness if family else LEAST_LIKENESS
    return lambda candidate: candidate.source in sources and candidate.likeness >= least


def _sources(settings: ContextConfig, profile: Profile | None) -> tuple[ContextSource, ...]:
    """Return the sources in the settings, else those that help this model; all if the model is unknown."""
    if not isinstance(settings.sources, str):
        return settings.sources
    family = _family(profile) if profile else None
    return family.sources if family else CONTEXT_SOURCES


def _family(profile: Profile) -> FimFamily | None:
    return family_for(profile.fim, profile.model)
