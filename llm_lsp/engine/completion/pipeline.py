"""The way of one completion, from the request to the final text: start reading here. Knows neither LSP nor HTTP."""

from __future__ import annotations

import logging

from llm_lsp.core.context.ranking import ContextSelection
from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.privacy.admission import admit, gate
from llm_lsp.core.request import Completion, CompletionRequest, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.cursor_context import cursor_context_at
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, advance
from llm_lsp.engine.completion.cache import GenerationCache
from llm_lsp.engine.completion.events import Foreseen
from llm_lsp.engine.completion.executor import CallExecutor
from llm_lsp.engine.completion.job import CompletionAttempt, CompletionJob, PreparedPrompt, Progress, accepted
from llm_lsp.engine.completion.last_shown import LastShown
from llm_lsp.engine.completion.menu_deadline import MenuDeadline
from llm_lsp.engine.context.collector import ContextCollector
from llm_lsp.engine.models.failover import Failover
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.rate_limit import RateLimit
from llm_lsp.engine.usage.meter import MeteredCall, MeteredStream, prompt_tokens
from llm_lsp.engine.workspace.workspace import Workspace
from llm_lsp.errors import BudgetError, LlmLspError, UnreachableError
from llm_lsp.providers.base import Stream

LOG = logging.getLogger(__name__)


class CompletionPipeline:
    """Answers requests: each stage may end it, with a completion or with a Skip that says why not."""

    def __init__(self, desk: ModelAccess, workspace: Workspace, collector: ContextCollector) -> None:
        self._registry, self._document_guard, self._redactor = (
            desk.registry,
            desk.document_guard,
            desk.redactor,
        )
        self._books, self._notifications, self._clock = desk.books, desk.notifications, desk.clock
        self._status = desk.status
        self._workspace = workspace
        self._collector = collector
        self._cache = GenerationCache(self._clock.now)
        self._calls = CallExecutor(self._clock)
        self._menu = MenuDeadline(self._clock)
        self._shown = LastShown()
        self._looked_ahead: tuple[int, int] | None = None
        """The generation, and the offset in it, behind which was looked last: once, and not at each key."""
        self._turns = Failover(desk.registry, workspace, desk.books.ledger, desk.clock)

    async def complete(
        self, request: CompletionRequest, progress: Progress | None = None
    ) -> Completion | Skip:
        """Answer one request; what can be answered at once is answered before the first await.

        Cancelling the caller detaches the request.
        """
        uri = request.document.uri
        if self._workspace.document(uri) is None:
            return Skip(Reason.UNKNOWN_DOCUMENT)
        self._calls.arrived(uri, request.face)
        self._turns.arrived(request)
        if not self._document_guard.is_known(uri):
            await self._document_guard.known(uri)
            if not self._turns.is_newest(request):
                return Skip(Reason.SUPERSEDED)
        if skip := self._admit(request):
            return skip
        place = self._at_once(request)
        if isinstance(place, Skip) and place.reason is Reason.LOADING:
            # While it was waited for, the settings may have changed.
            place = await self._turns.loaded(request) or self._admit(request) or self._at_once(request)
        if not isinstance(place, CompletionAttempt):
            return place
        if skip := self._gate(place):
            return skip
        self._left(request, "gates", "a call is worth it")
        if request.face == "menu":
            budget_s = place.runtime.config.completion.menu_timeout_ms / 1000
            is_current = self._workspace.document(request.document.uri) is request.document
            asking = self._ask(place, progress)
            return await self._menu.answer(request.document.uri, asking, budget_s, is_current=is_current)
        return await self._ask(place, progress)

    def slots(self, request: CompletionRequest) -> int:
        """Say how many calls may be made for a request at a time; 0 where nobody is to be asked."""
        place = next(self._turns.places(request))
        return 0 if isinstance(place, Skip) else place.profile.max_in_flight

    async def sample(self, request: CompletionRequest) -> Completion | Skip:
        """Give a further answer to a request that was just answered; it neither ends nor replaces what is shown."""
        place = self._at_once(request)
        return await self._ask(place, None) if isinstance(place, CompletionAttempt) else place

    def question(self, request: CompletionRequest) -> PreparedPrompt | Skip:
        """Give what a model would be asked for a request; nothing is sent."""
        if skip := self._admit(request):
            return skip
        place = next(self._turns.places(request))
        return place if isinstance(place, Skip) else self._job(place, None).question()

    def gather(self, place: CompletionAttempt, budget_tokens: float) -> ContextSelection:
        """Choose what of other places goes with a prompt."""
        return self._collector.gather(place.request.document, budget_tokens, place.runtime, place.profile)

    def began(self, place: CompletionAttempt) -> None:
        """Count a call; what is asked for by hand counts against its provider's rate, too."""
        place.slot.health.began(self._clock.now())

    def metered(self, place: CompletionAttempt, question: PreparedPrompt, stream: Stream) -> MeteredStream:
        """Count what a call uses, and ask the budget before it is made."""
        self._left(place.request, "waiting", "for a pause in typing, and for a free slot")
        self._left(place.request, "context", question.gathered.in_words)
        self._status.asked(place.profile)
        return self._books.metered(place.request, place.profile, question.prompt, stream)

    def wrote(self, order: MeteredCall, generation_id: int) -> None:
        """Take note of which call a generation comes from."""
        self._books.wrote(order, generation_id)

    def keep(self, place: CompletionAttempt, generation: Generation, order: MeteredCall | None) -> None:
        """Keep what a call gave, for whoever asks at its place or along its text."""
        self._cache.put(place.ask, generation)
        if order is not None and (reported := generation.usage.input_tokens) is not None:
            place.slot.counted(prompt_tokens(order.prompt), reported)
        if generation.finish is Finish.TRUNCATED:
            place.slot.health.left()

    def went_well(self, place: CompletionAttempt) -> None:
        """Take note that a provider answers, and say so where it failed before or stands in."""
        place.slot.health.went_well(self._clock.now())
        self._notifications.over(place.slot.cause)
        first = next(self._registry.line(place.request.document, place.request.trigger))
        trouble = "is over budget" if self._books.ledger.used_up() else "fails"
        is_fallback = first is not place.slot and first.provider
        text = f"{first.name} {trouble}, {place.slot.name} answers in its place" if is_fallback else ""
        self._status.answers(place.slot.cause, text)

    def failed(self, place: CompletionAttempt, error: LlmLspError) -> None:
        """Say what went wrong, once, and remember it of the provider."""
        LOG.debug("a call to %s failed: %s", place.slot.name, error)
        if isinstance(error, BudgetError):
            # It was never made; the ledger has said so.
            place.slot.health.left()
            return
        place.slot.health.failed(error, place.attempt, self._clock.now())
        if isinstance(error, UnreachableError) and place.slot.lost(place.provider):
            return  # A server that went idle is started again; that is no error.
        self._notifications.say(place.slot.cause, "error", str(error), kind=type(error).__name__)
        self._status.problem(place.slot.cause, "Error", str(error))

    def left(self, place: CompletionAttempt) -> None:
        """Take note that a call was closed."""
        place.slot.health.left()

    def phrase_words(self, place: CompletionAttempt) -> int:
        """Say how many words of a line are shown at once."""
        return self._shown.phrase_words(place.ask.route)

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Take note that a document changed."""
        self._menu.edited(document.uri)
        self._turns.edited(document.uri)
        if len(edits) == 1 and self._calls.is_watching:
            cursor = advance(edits[0].start, edits[0].text)
            self._calls.cursor_at(cursor_context_at(document, cursor))

    def close_document(self, uri: str) -> None:
        """Settle what waits for a document."""
        self._shown.forget(uri)
        self._turns.close_document(uri)
        self._calls.close_document(uri)

    def switched_off(self, why: Skip) -> None:
        """Settle what waits for a model: no call is begun for it any more."""
        self._turns.settle(why)

    async def aclose(self) -> None:
        """Settle all requests and close all calls."""
        self._turns.settle(Skip(Reason.SHUTTING_DOWN))
        await self._calls.aclose()
        await self._menu.aclose()

    def _admit(self, request: CompletionRequest) -> Skip | None:
        runtime, uri = self._registry.runtime, request.document.uri
        if self._workspace.document(uri) is None:
            return Skip(Reason.UNKNOWN_DOCUMENT)
        if skip := admit(request, runtime.rules):
            return skip
        if skip := self._document_guard.refusal(uri, runtime.exclusion):
            return skip
        if runtime.config.privacy.redact_secrets and self._redactor.touches(
            request.document.text, request.point
        ):
            return Skip(Reason.SECRET)
        return None

    def _at_once(self, request: CompletionRequest) -> CompletionAttempt | Completion | Skip:
        """Answer from what any provider of the line said before, or choose the one to be asked now."""
        refused: list[Skip] = []
        passed: list[CompletionAttempt] = []
        for place in self._turns.places(request):
            if isinstance(place, Skip):
                refused.append(place)
                continue
            if not passed:
                self._shown.follow(place.ask.cursor)
                self._calls.cursor_at(place.ask.cursor)
            self._books.admitted(request, place.profile)
            if known := self._known(place):
                return known
            # Who can join a call asks nobody; the call may be the one that finds out how the provider is.
            skip = None if self._calls.can_join(place.ask) else self._turns.refusal(place)
            if skip is None:
                return place
            refused.append(skip)
            self._left(
                request, "provider", f"{place.slot.name} is passed over: {skip.detail or skip.reason.value}"
            )
            if skip.reason is not Reason.OVER_BUDGET:
                passed.append(place)
        # Who asks by hand is not sent away while there is somebody to ask.
        return passed[0] if passed and request.patience is Patience.ASKED else refused[0]

    def _known(self, place: CompletionAttempt) -> Completion | Skip | None:
        hit = self._cache.find(place.ask, self._shown.generation_id(place.ask.uri))
        if hit is None or (place.is_manual and hit.generation.end_after(hit.typed) is None):
            # Who asks by hand where there was nothing to say asks again.
            self._left(place.request, "cache", "nothing is known of this place")
            return None
        place.request.steps.is_known = True
        self._left(place.request, "cache", f"known, {hit.typed} characters of it are typed")
        return self._show(place, hit.generation, hit.typed)

    def _show(self, place: CompletionAttempt, generation: Generation, typed: int) -> Completion | Skip:
        result = place.completion(generation, typed)
        place.request.steps.generation_id = generation.id
        self._left(place.request, "fitting", f"{len(generation.text)} characters of the model's to the text")
        if isinstance(result, Completion) and place.request.face == "inline" and not place.request.sample:
            self._shown.put(place.ask, generation, typed)
            self._look_ahead(place, generation, typed, result)
        return result

    def _look_ahead(
        self, place: CompletionAttempt, generation: Generation, typed: int, shown: Completion
    ) -> None:
        """Offer to ask what comes after a suggestion, where nothing more is known and a call may be made."""
        end = place.end(generation, typed)
        may_call = place.profile.free or place.profile.cancel_stops_billing
        if not may_call or generation.end_after(end) is not None or self._calls.can_join(place.ask):
            return
        if self._looked_ahead == (generation.id, end):
            return
        self._looked_ahead = generation.id, end
        line = place.request.document.text.line(shown.end.line)
        accepted_line = (line[: shown.start.column] + shown.text).rpartition("\n")[2]
        pace, gates = self._workspace.pace(place.ask.uri), place.runtime.config.completion.gates
        if gate(accepted_line, line[shown.end.column :], pace, gates):
            return  # Asked first, since most lines end here and the rest costs as much as an answer.
        wanted = accepted(place.request, shown)
        ahead = self._admit(wanted) or next(self._turns.places(wanted))
        if isinstance(ahead, Skip) or ahead.slot is not place.slot:
            return
        if self._turns.refusal(ahead) or self._gate(ahead):
            return
        if (known := self._cache.find(ahead.ask)) and (
            known.generation != generation or not place.profile.free
        ):
            # Where the model ended by itself it may go on when it reads its own text: worth a call that costs nothing.
            return
        rest = generation.text[typed:end]
        chance = Foreseen(ahead.ask, place.ask.cursor, rest, place.profile.free)
        self._calls.foreseen(chance, self._job(ahead, None))

    def _gate(self, place: CompletionAttempt) -> Skip | None:
        if place.is_manual or self._calls.can_join(place.ask):
            return None
        if not (place.profile.local or self._rate(place).allows(self._clock.now())):
            return Skip(Reason.RATE_LIMITED)
        point, document = place.request.point, place.request.document
        line, pace = document.text.line(point.line), self._workspace.pace(document.uri)
        return gate(line[: point.column], line[point.column :], pace, place.runtime.config.completion.gates)

    async def _ask(self, place: CompletionAttempt, progress: Progress | None) -> Completion | Skip:
        tried: set[str] = set()
        while True:
            try:
                answer = await self._calls.ask(place.ask, self._job(place, progress))
            except LlmLspError as exc:
                # The wait of a retry is the scheduler's, as every wait: a newer request ends it.
                following = await self._turns.after(place, exc, tried)
                # The failure may have taken a minute, and the settings may have changed in it.
                following = self._admit(place.request) or following
                if isinstance(following, Skip):
                    return following
                self._left(place.request, "model", f"{exc}; asked again")
                place = following
                continue
            if isinstance(answer, Skip):
                return answer
            self._left(place.request, "model", "text that is wanted has come")
            return self._show(place, answer.generation, answer.typed)

    def _left(self, request: CompletionRequest, stage: str, words: str) -> None:
        request.steps.left(stage, words, self._clock.now())

    def _job(self, place: CompletionAttempt, progress: Progress | None) -> CompletionJob:
        return CompletionJob(place, self, self._redactor, progress)

    def _rate(self, place: CompletionAttempt) -> RateLimit:
        rate = place.slot.health.rate
        rate.calls_per_minute = place.runtime.config.completion.calls_per_minute
        return rate
