"""The way of one completion, from the request to the final text: start reading here. Knows neither LSP nor HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from llm_lsp.core.anchor import Anchor, anchor_at
from llm_lsp.core.mode import choose_mode
from llm_lsp.core.postprocess import postprocess
from llm_lsp.core.prompt import build_prompt, stop_rule
from llm_lsp.core.streak import Streak
from llm_lsp.core.timing import ready_at
from llm_lsp.core.trigger import admit, gate
from llm_lsp.core.types import Completion, CompletionRequest, Finish, Generation, Reason, Skip, Trigger
from llm_lsp.core.window import Window, cut_window
from llm_lsp.engine.cache import GenerationCache
from llm_lsp.engine.calls import Calls, Reader
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.notices import Notices
from llm_lsp.engine.registry import Registry, Runtime
from llm_lsp.engine.scheduler import Ask, Route
from llm_lsp.engine.workspace import Workspace
from llm_lsp.errors import LlmLspError, UnreachableError
from llm_lsp.providers.base import Provider, Stream

LOG = logging.getLogger(__name__)
CALL_CAUSE = "call"
# Tokens. A model with a smaller window than its answers' limit still sees this much.
MIN_PROMPT_TOKENS = 64

Progress = Callable[[str], None]
"""Is told the text so far while it streams."""


@dataclass(frozen=True, slots=True)
class Place:
    """A request with what is needed to ask for it."""

    request: CompletionRequest
    runtime: Runtime
    provider: Provider
    anchor: Anchor
    route: Route

    @property
    def line_prefix(self) -> str:
        return self.request.document.text.line(self.request.point.line)[: self.request.point.column]

    @property
    def line_suffix(self) -> str:
        return self.request.document.text.line(self.request.point.line)[self.request.point.column :]


class CompletionJob:
    """How to make the call for a place; nothing is built before the call is made."""

    def __init__(self, place: Place, cache: GenerationCache, progress: Progress | None) -> None:
        request, multiline = place.request, place.runtime.config.completion.multiline
        is_manual = request.trigger is Trigger.MANUAL
        self._mode = choose_mode(request.document, request.point, multiline, manual=is_manual)
        self._may_grow = multiline != "never"
        self._place = place
        self._cache = cache
        self._progress = progress

    def begin(self) -> Stream:
        """Build the prompt and begin the call."""
        provider = self._place.provider
        return provider.stream(build_prompt(self._window, provider.profile, self._mode))

    def reader(self) -> Reader:
        """Give what decides when the stream is complete."""
        profile = self._place.provider.profile
        rule = stop_rule(self._window, profile, self._mode, may_grow=self._may_grow)
        # Where closing does not stop the bill the model was told to stop at the line's end.
        return Streak(rule) if profile.cancel_stops_billing else Streak(rule, lines=0)

    def streamed(self, text: str) -> None:
        """Show the text so far, as it would be inserted."""
        if self._progress is None:
            return
        result = postprocess(text, Finish.CUT, self._place.request)
        if not isinstance(result, Skip):
            self._progress(result.text)

    def done(self, generation: Generation) -> None:
        """Keep a generation for its place, also when nobody waits for it any more."""
        self._cache.put(self._place.route, self._place.anchor, generation)

    @cached_property
    def _window(self) -> Window:
        request, profile = self._place.request, self._place.provider.profile
        # What the answer needs is kept free.
        budget = max(MIN_PROMPT_TOKENS, profile.context_tokens - profile.max_tokens)
        return cut_window(request.document, request.point, budget)


class CompletionPipeline:
    """Answers requests: each stage may end it, with a completion or with a Skip that says why not."""

    def __init__(self, registry: Registry, workspace: Workspace, notices: Notices, clock: Clock) -> None:
        self._registry = registry
        self._workspace = workspace
        self._notices = notices
        self._clock = clock
        self._cache = GenerationCache(clock.now)
        self._calls = Calls(clock)

    async def complete(
        self, request: CompletionRequest, progress: Progress | None = None
    ) -> Completion | Skip:
        """Answer one request; what can be answered at once is answered before the first await.

        Cancelling the caller detaches the request.
        """
        self._calls.arrived(request.document.uri, request.face)
        place = self._admit(request, self._registry.runtime)
        if isinstance(place, Skip):
            return place
        if hit := self._cache.find(place.route, place.anchor):
            return self._finish(place, hit.generation, hit.typed)
        if skip := self._gate(place):
            return skip
        return await self._ask(place, progress)

    def close_document(self, uri: str) -> None:
        """Settle what waits for a document."""
        self._calls.close_document(uri)

    async def aclose(self) -> None:
        """Settle all requests and close all calls."""
        await self._calls.aclose()

    def _admit(self, request: CompletionRequest, runtime: Runtime) -> Place | Skip:
        if skip := admit(request, runtime.rules):
            return skip
        if runtime.exclusion.covers(request.document.uri):
            return Skip(Reason.EXCLUDED)
        provider = runtime.provider
        if provider is None:
            self._registry.need()
            return self._registry.runtime.absent
        profile = provider.profile
        route = Route(profile.provider, profile.model, profile.fim, runtime.epoch)
        anchor = anchor_at(request.document, request.point)
        return Place(request, runtime, provider, anchor, route)

    def _gate(self, place: Place) -> Skip | None:
        if place.request.trigger is Trigger.MANUAL:
            return None
        return gate(place.line_prefix, place.line_suffix, self._workspace.pace(place.request.document.uri))

    async def _ask(self, place: Place, progress: Progress | None) -> Completion | Skip:
        profile = place.provider.profile
        ask = Ask(
            place.request.id,
            place.anchor,
            place.route,
            place.request.face,
            self._ready_at(place),
            profile.max_in_flight,
        )
        try:
            answer = await self._calls.ask(ask, CompletionJob(place, self._cache, progress))
        except LlmLspError as exc:
            return self._failed(place, exc)
        if isinstance(answer, Skip):
            return answer
        self._notices.over(CALL_CAUSE)
        return self._finish(place, answer.generation, answer.typed)

    def _ready_at(self, place: Place) -> float:
        if place.request.trigger is Trigger.MANUAL:
            return float("-inf")
        pace = self._workspace.pace(place.request.document.uri)
        debounce_ms = place.runtime.config.completion.debounce_ms
        if debounce_ms != "auto":
            return pace.last_edit_at + debounce_ms / 1000
        return ready_at(pace, place.line_prefix, place.line_suffix)

    def _failed(self, place: Place, error: LlmLspError) -> Skip:
        LOG.warning("request %d failed: %s", place.request.id, error)
        self._notices.say(CALL_CAUSE, "error", str(error))
        if isinstance(error, UnreachableError):
            self._registry.lost(place.provider)
        return Skip(Reason.PROVIDER_FAILED, str(error))

    def _finish(self, place: Place, generation: Generation, typed: int) -> Completion | Skip:
        request = place.request
        length = len(generation.text)
        end = generation.end_after(typed) or length
        finish = generation.finish if end == length else Finish.CUT
        result = postprocess(generation.text[typed:end], finish, request)
        if isinstance(result, Skip):
            return result
        return Completion(
            f"{generation.id}.{request.id}", generation.id, request.point, result.end, result.text
        )
