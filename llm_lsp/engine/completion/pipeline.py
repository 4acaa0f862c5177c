"""Answers completion requests. Start reading the engine here.

A request passes through the stages of `complete` once, in this order: admit, look up, gate, schedule, build the
prompt, stream, filter, show. Each stage may end it, with a completion or with a Skip that has the reason.
"""

from __future__ import annotations

import asyncio

from llm_lsp.core.generation import Generation
from llm_lsp.core.request import Completion, CompletionRequest, Patience
from llm_lsp.core.response.gates import TypedLine, gate
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.cursor_context import cursor_context_at
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, advance
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.completion.attempt import CompletionAttempt, accepted
from llm_lsp.engine.completion.cache import GenerationCache
from llm_lsp.engine.completion.events import PrefetchOffered
from llm_lsp.engine.completion.executor import CallExecutor
from llm_lsp.engine.completion.job import CompletionJob, JobTools, PreparedPrompt, Progress
from llm_lsp.engine.completion.last_shown import LastShown
from llm_lsp.engine.completion.menu_deadline import MenuDeadline
from llm_lsp.engine.completion.rejections import Rejections
from llm_lsp.engine.completion.request_tracker import RequestTracker
from llm_lsp.engine.context.collector import ContextCollector
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.usage.recorder import UsageRecorder
from llm_lsp.engine.workspace.workspace import Workspace
from llm_lsp.errors import InternalError, LlmLspError


class CompletionPipeline:
    """Answers requests, each by a call of `complete`."""

    def __init__(
        self,
        models: ModelAccess,
        workspace: Workspace,
        collector: ContextCollector,
        recorder: UsageRecorder,
        notifications: Notifications,
        clock: Clock,
    ) -> None:
        self._models, self._failover = models, models.failover
        self._workspace = workspace
        self._recorder = recorder
        self._notifications = notifications
        self._clock = clock
        self._cache = GenerationCache(clock.now)
        self._calls = CallExecutor(clock)
        self._menu = MenuDeadline(clock)
        self._shown = LastShown()
        self._rejections = Rejections()
        self._tracker = RequestTracker(clock)
        self._tools = JobTools(models, collector, workspace, self._cache, self._shown, clock)
        self._next_prefetch: asyncio.Handle | None = None
        self._prefetched: tuple[int, int] | None = None
        """The last place for which a prefetch was considered: a generation's id, and the offset of its end."""

    async def complete(
        self, request: CompletionRequest, log: RequestLog, progress: Progress | None = None
    ) -> Completion | Skip:
        """Answer a request. Answers that need no model are returned before the first await.

        Every stage is recorded in `log`. If the caller is cancelled, the call may go on.
        """
        uri = request.document.uri
        if self._workspace.document(uri) is None:
            return Skip(Reason.UNKNOWN_DOCUMENT)
        if not self._tracker.arrived(uri, request.face, request.id):
            return Skip(Reason.SUPERSEDED)
        self._calls.arrived(uri, request.face)
        if not self._models.is_examined(uri):
            await self._models.examined(uri)
            if not self._tracker.is_newest(request):
                return Skip(Reason.SUPERSEDED)
        if skip := self._admit(request):
            return skip
        found = self._look_up(request, log)
        if isinstance(found, Skip) and found.reason is Reason.LOADING:
            # The settings may have changed during the wait.
            found = (
                await self._tracker.loaded(request, lambda: next(self._failover.slots(request.for_model)))
                or self._admit(request)
                or self._look_up(request, log)
            )
        if not isinstance(found, CompletionAttempt):
            return found
        if skip := self._gate(found):
            return skip
        log.left("gates", "a call is worth it", self._clock.now())
        asking = self._ask(found, log, progress)
        if request.face != "menu":
            return await asking
        budget_s = found.choice.runtime.config.completion.menu_timeout_ms / 1000
        is_current = self._workspace.document(uri) is request.document
        return await self._menu.answer(uri, asking, budget_s, is_current=is_current)

    def slots(self, request: CompletionRequest) -> int:
        """Return how many simultaneous calls are allowed for a request; 0 if it has no provider."""
        choice = next(self._failover.choices(request.for_model))
        return 0 if isinstance(choice, Skip) else choice.profile.max_in_flight

    async def sample(self, request: CompletionRequest) -> Completion | Skip:
        """Return a further answer to a request that has been answered; it does not replace what is shown."""
        log = RequestLog()
        found = self._look_up(request, log)
        return await self._ask(found, log, None) if isinstance(found, CompletionAttempt) else found

    def prepared(self, request: CompletionRequest) -> PreparedPrompt | Skip:
        """Return what would be sent to a model for a request, without sending it."""
        if skip := self._admit(request):
            return skip
        choice = next(self._failover.choices(request.for_model))
        if isinstance(choice, Skip):
            return choice
        return self._job(self._attempt(request, choice), RequestLog()).prepared()

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Record that a document changed."""
        self._menu.edited(document.uri)
        self._tracker.edited(document.uri)
        self._rejections.edited(document, edits)
        if len(edits) == 1 and self._calls.is_watching:
            cursor = advance(edits[0].start, edits[0].text)
            self._calls.cursor_at(cursor_context_at(document, cursor))

    def close_document(self, uri: str) -> None:
        """Answer a document's waiting requests."""
        self._shown.forget(uri)
        self._rejections.forget(uri)
        self._tracker.close_document(uri)
        self._calls.close_document(uri)

    def accepted(self, completion_id: str) -> None:
        """Record that a suggestion was accepted; an unknown id is ignored."""
        self._rejections.accepted(completion_id)

    def dismissed(self, completion_id: str) -> None:
        """Record that a suggestion was dismissed: it is not offered there again. An unknown id is ignored."""
        if uri := self._rejections.dismissed(completion_id):
            self._shown.dismissed(uri)

    def switched_off(self, why: Skip) -> None:
        """Answer all waiting requests; no calls are started for them any more."""
        self._tracker.settle(why)
        self._calls.switched_off()

    async def aclose(self) -> None:
        """Answer all requests and close all calls."""
        if self._next_prefetch:
            self._next_prefetch.cancel()
        self._tracker.settle(Skip(Reason.SHUTTING_DOWN))
        await self._calls.aclose()
        await self._menu.aclose()

    def _admit(self, request: CompletionRequest) -> Skip | None:
        if self._workspace.document(request.document.uri) is None:
            return Skip(Reason.UNKNOWN_DOCUMENT)
        return self._models.admit(request.document, request.point, request.trigger)

    def _look_up(self, request: CompletionRequest, log: RequestLog) -> CompletionAttempt | Completion | Skip:
        """Answer from an earlier generation of any of the request's providers, or return the one to call now."""
        refused: list[Skip] = []
        passed: list[CompletionAttempt] = []
        for choice in self._failover.choices(request.for_model):
            if isinstance(choice, Skip):
                refused.append(choice)
                continue
            attempt = self._attempt(request, choice)
            self._recorder.admitted(request.document.uri, choice.profile)
            if not passed:
                self._shown.follow(attempt.ask.cursor)
                self._calls.cursor_at(attempt.ask.cursor)
            if known := self._cached(attempt, log):
                return known
            # Joining needs no provider check: the call may be the half-open probe.
            skip = choice.refusal
            if skip is None or self._calls.can_join(attempt.ask):
                return attempt
            refused.append(skip)
            passed_over = f"{choice.slot.name} is skipped: {skip.detail or skip.reason.value}"
            log.left("provider", passed_over, self._clock.now())
            if skip.reason is not Reason.OVER_BUDGET:
                passed.append(attempt)
        # A manual request is not refused as long as there is a provider to call.
        return passed[0] if passed and request.patience is Patience.ASKED else refused[0]

    def _cached(self, attempt: CompletionAttempt, log: RequestLog) -> Completion | Skip | None:
        hit = self._cache.find(attempt.ask, self._shown.generation_id(attempt.ask.uri))
        if hit is None or (attempt.is_manual and hit.generation.end_after(hit.typed) is None):
            # If the model had no suggestion, a manual request asks it again.
            log.left("cache", "no earlier answer fits", self._clock.now())
            return None
        log.is_known = True
        words = f"an earlier answer fits; {hit.typed} of its characters have been typed since"
        log.left("cache", words, self._clock.now())
        return self._show(attempt, hit.generation, hit.typed, log)

    def _gate(self, attempt: CompletionAttempt) -> Skip | None:
        if attempt.is_manual or self._calls.can_join(attempt.ask):
            return None
        settings, rate = attempt.choice.runtime.config.completion, attempt.choice.slot.health.rate
        rate.calls_per_minute = settings.calls_per_minute
        if not (attempt.profile.local or rate.allows(self._clock.now())):
            return Skip(Reason.RATE_LIMITED)
        point, document = attempt.request.point, attempt.request.document
        return gate(TypedLine.at(document, point), self._workspace.pace(document.uri), settings.gates)

    async def _ask(
        self, attempt: CompletionAttempt, log: RequestLog, progress: Progress | None
    ) -> Completion | Skip:
        """Start or join a call and show its answer; after a failure do what `_after` returns."""
        tried: set[str] = set()
        while True:
            try:
                answer = await self._calls.ask(attempt.ask, self._job(attempt, log, progress))
            except LlmLspError as exc:
                following = await self._after(attempt, exc, tried)
                # The failed call may have taken a minute, in which the settings may have changed.
                following = self._admit(attempt.request) or following
                if isinstance(following, Skip):
                    return following
                log.left("model", f"{exc}; asked again", self._clock.now())
                attempt = following
                continue
            if isinstance(answer, Skip):
                return answer
            log.left("model", "the requested text has arrived", self._clock.now())
            return self._show(attempt, answer.generation, answer.typed, log)

    async def _after(
        self, attempt: CompletionAttempt, error: LlmLspError, tried: set[str]
    ) -> CompletionAttempt | Skip:
        """Return the attempt that follows a failed call, or why there is none."""
        request, choice = attempt.request, attempt.choice
        if isinstance(error, InternalError):
            self._notifications.say("fault", "error", str(error))
        if not self._tracker.is_newest(request):
            return Skip(Reason.SUPERSEDED)
        following, wait_s = await self._failover.after(request.for_model, choice, error, tried)
        if isinstance(following, Skip) and following.reason is Reason.LOADING:
            following = await self._restarted(request, choice)
        if isinstance(following, Skip):
            return following
        if not self._tracker.is_newest(request):
            return Skip(Reason.SUPERSEDED)  # a newer request came while the fallback was prepared
        next_attempt = self._attempt(request, following)
        if following.slot is not choice.slot:
            return next_attempt
        # The scheduler waits before the retry, so that a newer request ends the wait.
        return next_attempt.at(self._clock.now() + wait_s)

    async def _restarted(self, request: CompletionRequest, choice: ProviderChoice) -> ProviderChoice | Skip:
        """Return a provider after its server has restarted; the interruption is not an error."""
        if choice.attempt.number:
            return choice.slot.absent
        if request.patience is Patience.COMMAND:
            await choice.slot.ready()
        elif skip := await self._tracker.loaded(request, lambda: choice.slot):
            return skip
        again = self._failover.choice(request.for_model, choice.slot)
        return again if isinstance(again, Skip) else again.again()

    def _show(
        self, attempt: CompletionAttempt, generation: Generation, typed: int, log: RequestLog
    ) -> Completion | Skip:
        log.generation_id = generation.id
        extent = attempt.extent(generation, typed, self._shown.calibration(attempt.ask.route))
        end = extent.end if extent else attempt.end(generation, typed)
        if extent is not None:
            judged = f"right with {extent.chance:.0%}, shown from {extent.least:.0%}"
            log.left("estimate", judged, self._clock.now())
            if not extent.is_shown:
                self._shown.put(attempt.ask, generation, typed, extent)
                return Skip(Reason.UNSURE, judged)
        result = attempt.completion(generation, typed, end)
        words = f"the model's {len(generation.text)} characters were fitted into the text"
        log.left("fitting", words, self._clock.now())
        if isinstance(result, Completion) and attempt.request.face == "inline" and not attempt.request.sample:
            text = result.text.replace("\r\n", "\n").replace("\r", "\n")
            if not attempt.is_manual and self._rejections.has(attempt.ask.cursor, text):
                return Skip(Reason.REJECTED)
            self._rejections.shown(result.id, attempt.ask.cursor, text)
            shown = generation.shown_as(text, typed, end)
            if shown is not generation:
                # Users type along what is shown, not what the model wrote.
                self._cache.put(attempt.ask, shown, typed)
            self._shown.put(attempt.ask, shown, typed, extent)
            # After the answer is sent.
            loop = asyncio.get_running_loop()
            shown_end = end + len(shown.text) - len(generation.text)
            self._next_prefetch = loop.call_soon(self._prefetch, attempt, shown, (typed, shown_end), result)
        return result

    def _prefetch(
        self, attempt: CompletionAttempt, generation: Generation, part: tuple[int, int], shown: Completion
    ) -> None:
        """Offer the scheduler a call for the text after a suggestion, if none is cached and a call is allowed.

        `part` is what is shown of the generation.
        """
        typed, end = part
        may_call = attempt.profile.free or attempt.profile.cancel_stops_billing
        if not may_call or generation.end_after(end) is not None or self._calls.can_join(attempt.ask):
            return
        if self._prefetched == (generation.id, end) or attempt.choice.slot.speed.is_slow:
            return  # on a slow model it would delay requests that users wait for
        self._prefetched = generation.id, end
        wanted = accepted(attempt.request, shown)
        pace, gates = self._workspace.pace(attempt.ask.uri), attempt.choice.runtime.config.completion.gates
        if gate(TypedLine.at(wanted.document, wanted.point), pace, gates):
            return  # checked early: most cases end here, and the rest costs as much as an answer
        choice = self._admit(wanted) or next(self._failover.choices(wanted.for_model))
        if isinstance(choice, Skip) or choice.refusal or choice.slot is not attempt.choice.slot:
            return
        ahead = self._attempt(wanted, choice)
        if self._gate(ahead):
            return
        if (known := self._cache.find(ahead.ask)) and (
            known.generation != generation or not attempt.profile.free
        ):
            # The model ended by itself. It may continue after its own text, but only a free call is worth a try.
            return
        rest = generation.text[typed:end]
        chance = PrefetchOffered(ahead.ask, attempt.ask.cursor, rest, attempt.profile.free)
        self._calls.offer_prefetch(chance, self._job(ahead, RequestLog()))

    def _attempt(self, request: CompletionRequest, choice: ProviderChoice) -> CompletionAttempt:
        return CompletionAttempt.of(request, choice, self._workspace.pace(request.document.uri))

    def _job(
        self, attempt: CompletionAttempt, log: RequestLog, progress: Progress | None = None
    ) -> CompletionJob:
        return CompletionJob(attempt, self._tools, log, progress)
