"""The way of one completion, from the request to the final text: start reading here. Knows neither LSP nor HTTP."""

from __future__ import annotations

import logging

from llm_lsp.core.context import Gathered
from llm_lsp.core.redact import Redactor
from llm_lsp.core.trigger import admit, gate
from llm_lsp.core.types import Completion, CompletionRequest, Generation, Reason, Skip
from llm_lsp.engine.cache import GenerationCache
from llm_lsp.engine.calls import Calls
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.gathering import Gathering
from llm_lsp.engine.limits import RateLimit
from llm_lsp.engine.menu import MenuWait
from llm_lsp.engine.notices import Notices
from llm_lsp.engine.place import CompletionJob, Place, Progress, Question
from llm_lsp.engine.registry import Registry
from llm_lsp.engine.scheduler import Ask
from llm_lsp.engine.shown import Shown
from llm_lsp.engine.workspace import Workspace
from llm_lsp.errors import LlmLspError, RateLimitError, UnreachableError

LOG = logging.getLogger(__name__)
CALL_CAUSE = "call"


class CompletionPipeline:
    """Answers requests: each stage may end it, with a completion or with a Skip that says why not."""

    def __init__(
        self,
        registry: Registry,
        workspace: Workspace,
        gathering: Gathering,
        notices: Notices,
        clock: Clock,
        redactor: Redactor,
    ) -> None:
        self._registry = registry
        self._workspace = workspace
        self._gathering = gathering
        self._notices = notices
        self._clock = clock
        self._redactor = redactor
        self._cache = GenerationCache(clock.now)
        self._calls = Calls(clock)
        self._menu = MenuWait(clock)
        self._shown = Shown()
        self._limits: dict[str, RateLimit] = {}

    async def complete(
        self, request: CompletionRequest, progress: Progress | None = None
    ) -> Completion | Skip:
        """Answer one request; what can be answered at once is answered before the first await.

        Cancelling the caller detaches the request.
        """
        self._calls.arrived(request.document.uri, request.face)
        place = self._admit(request)
        if isinstance(place, Skip):
            return place
        self._shown.follow(place.ask.anchor)
        if known := self._known(place):
            return known
        if skip := self._gate(place):
            return skip
        if request.face == "menu":
            budget_s = place.runtime.config.completion.menu_timeout_ms / 1000
            is_current = self._workspace.document(request.document.uri) is request.document
            asking = self._ask(place, progress)
            return await self._menu.answer(request.document.uri, asking, budget_s, is_current=is_current)
        return await self._ask(place, progress)

    def question(self, request: CompletionRequest) -> Question | Skip:
        """Give what a model would be asked for a request; nothing is sent."""
        place = self._admit(request)
        return (
            place if isinstance(place, Skip) else CompletionJob(place, self, self._redactor, None).question()
        )

    def gather(self, place: Place, budget_tokens: float) -> Gathered:
        """Choose what of other places goes with a prompt."""
        return self._gathering.gather(place.request.document, budget_tokens, place.runtime)

    def began(self, place: Place) -> None:
        """Count a call against its provider's rate; what is asked for by hand counts, too."""
        self._limit(place).count(self._clock.now())

    def keep(self, ask: Ask, generation: Generation) -> None:
        """Keep what a call gave, for whoever asks at its place or along its text."""
        self._cache.put(ask, generation)

    def phrase_words(self, place: Place) -> int:
        """Say how many words of a line are shown at once."""
        return self._shown.phrase_words(place.ask.route)

    def edited(self, uri: str) -> None:
        """Take note that a document changed."""
        self._menu.edited(uri)

    def close_document(self, uri: str) -> None:
        """Settle what waits for a document."""
        self._shown.forget(uri)
        self._calls.close_document(uri)

    async def aclose(self) -> None:
        """Settle all requests and close all calls."""
        await self._calls.aclose()
        await self._menu.aclose()

    def _admit(self, request: CompletionRequest) -> Place | Skip:
        runtime, uri = self._registry.runtime, request.document.uri
        if self._workspace.document(uri) is None:
            return Skip(Reason.UNKNOWN_DOCUMENT)
        if skip := admit(request, runtime.rules):
            return skip
        if runtime.exclusion.covers(uri):
            return Skip(Reason.EXCLUDED)
        if runtime.config.privacy.redact_secrets and self._redactor.touches(
            request.document.text, request.point
        ):
            return Skip(Reason.SECRET)
        if runtime.provider is None:
            self._registry.need()
            return self._registry.runtime.absent
        return Place.of(request, runtime, runtime.provider, self._workspace.pace(uri))

    def _known(self, place: Place) -> Completion | Skip | None:
        hit = self._cache.find(place.ask, self._shown.generation_id(place.ask.uri))
        if hit is None or (place.is_manual and hit.generation.end_after(hit.typed) is None):
            # Who asks by hand where there was nothing to say asks again.
            return None
        return self._show(place, hit.generation, hit.typed)

    def _show(self, place: Place, generation: Generation, typed: int) -> Completion | Skip:
        result = place.completion(generation, typed)
        if isinstance(result, Completion) and place.request.face == "inline":
            self._shown.put(place.ask, generation, typed)
        return result

    def _gate(self, place: Place) -> Skip | None:
        if place.is_manual or self._calls.can_join(place.ask):
            return None
        if not (place.profile.local or self._limit(place).allows(self._clock.now())):
            return Skip(Reason.RATE_LIMITED)
        point, document = place.request.point, place.request.document
        line, pace = document.text.line(point.line), self._workspace.pace(document.uri)
        return gate(line[: point.column], line[point.column :], pace, place.runtime.config.completion.gates)

    async def _ask(self, place: Place, progress: Progress | None) -> Completion | Skip:
        job = CompletionJob(place, self, self._redactor, progress)
        try:
            answer = await self._calls.ask(place.ask, job)
        except LlmLspError as exc:
            return self._failed(place, exc)
        if isinstance(answer, Skip):
            return answer
        self._notices.over(CALL_CAUSE)
        return self._show(place, answer.generation, answer.typed)

    def _limit(self, place: Place) -> RateLimit:
        calls_per_minute = place.runtime.config.completion.calls_per_minute
        limit = self._limits.setdefault(place.profile.provider, RateLimit(calls_per_minute))
        limit.calls_per_minute = calls_per_minute
        return limit

    def _failed(self, place: Place, error: LlmLspError) -> Skip:
        LOG.debug("request %d failed: %s", place.request.id, error)
        if isinstance(error, UnreachableError) and self._registry.lost(place.provider):
            # A server that went idle is started again; that is no error.
            return self._registry.runtime.absent
        if isinstance(error, RateLimitError):
            self._limit(place).refused(self._clock.now(), error.retry_after_s)
        self._notices.say(CALL_CAUSE, "error", str(error))
        return Skip(Reason.PROVIDER_FAILED, str(error))
