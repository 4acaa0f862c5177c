"""A request with all that is needed to answer it; knows no cache and no other request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from llm_lsp.core.context.ranking import ContextSelection
from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.privacy.redact import Redactor, redact_prompt
from llm_lsp.core.profile import Profile
from llm_lsp.core.prompt.chat_prompt import EXAMPLES, RULES, ChatStyle, Example
from llm_lsp.core.prompt.completion_mode import choose_mode
from llm_lsp.core.prompt.prompt import build_prompt, stop_rule
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.request import Completion, CompletionRequest, Mode, Patience, Trigger
from llm_lsp.core.response.postprocess import postprocess
from llm_lsp.core.response.read_ahead import STREAK_LINES, ReadAhead
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.cursor_context import cursor_context_at
from llm_lsp.core.text.text import advance
from llm_lsp.core.text.typing_pace import TypingPace, ready_at
from llm_lsp.core.text.window import Window, cut_window
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.engine.completion.events import Ask, Route
from llm_lsp.engine.completion.executor import StreamReader
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.provider_slot import ProviderSlot
from llm_lsp.engine.models.registry import Runtime
from llm_lsp.engine.usage.meter import MeteredCall, MeteredStream
from llm_lsp.errors import LlmLspError
from llm_lsp.providers.base import Provider, Stream

# For answers beside the first: loose enough to differ, and still code (HumanEval's pass@k is measured at 0.2 to 0.8,
# https://arxiv.org/abs/2107.03374, section 3.3).
SAMPLE_TEMPERATURE = 0.7

Progress = Callable[[str], None]
"""Is told the text so far while it streams."""


@dataclass(frozen=True, slots=True)
class CompletionAttempt:
    """Where a completion is wanted, and by which provider."""

    request: CompletionRequest
    runtime: Runtime
    slot: ProviderSlot
    provider: Provider
    mode: Mode
    ask: Ask
    attempt: Attempt

    @classmethod
    def of(
        cls, request: CompletionRequest, runtime: Runtime, slot: ProviderSlot, pace: TypingPace
    ) -> CompletionAttempt:
        """Look at the text around the cursor; costs a bounded number of lines. The seat is taken."""
        provider = slot.provider
        assert provider is not None
        profile, settings = provider.profile, runtime.config.completion
        is_manual = request.trigger is Trigger.MANUAL
        mode = choose_mode(request.document, request.point, settings.multiline, manual=is_manual)
        line = request.document.text.line(request.point.line)
        if request.patience is Patience.COMMAND:
            # What nobody looks at waits out an API's bad time instead of failing in it.
            at = slot.health.ready_at
        elif is_manual:
            at = float("-inf")
        elif settings.debounce_ms == "auto":
            at = ready_at(pace, line[: request.point.column], line[request.point.column :])
        else:
            at = pace.last_edit_at + settings.debounce_ms / 1000
        thinks = is_manual and profile.thinks_by_hand
        route = Route(profile.provider, profile.model, profile.fim, runtime.epoch, thinks, request.sample)
        cursor = cursor_context_at(request.document, request.point)
        # A menu is gone once an item is taken: there a part of a line is of no use.
        by_phrase = settings.length == "auto" and request.face == "inline" and not is_manual
        ask = Ask(
            request.id,
            cursor,
            route,
            request.face,
            at,
            profile.max_in_flight,
            is_hole=mode is Mode.HOLE,
            by_phrase=by_phrase,
        )
        attempt = Attempt(request.patience, share=slot.health.share)
        return cls(request, runtime, slot, provider, mode, ask, attempt)

    def again(self, at: float) -> CompletionAttempt:
        """Give the same once more, for a call at `at`."""
        number, share = self.attempt.number + 1, self.slot.health.share
        attempt = replace(self.attempt, number=number, share=share)
        return replace(self, ask=replace(self.ask, ready_at=at), attempt=attempt)

    @property
    def is_manual(self) -> bool:
        return self.request.trigger is Trigger.MANUAL

    @property
    def profile(self) -> Profile:
        return self.provider.profile

    def end(self, generation: Generation, typed: int) -> int:
        """Give the offset in a generation up to which it is shown after `typed` characters."""
        end = generation.end_after(typed, by_phrase=self.ask.by_phrase)
        return len(generation.text) if end is None else end

    @property
    def style(self) -> ChatStyle:
        """How a dialogue is led here, where it is one."""
        said = self.runtime.config.chat
        examples = tuple(
            Example(one.before, one.answer, one.after, one.path, one.language) for one in said.examples
        )
        return ChatStyle(
            said.system_prompt or RULES,
            examples or EXAMPLES,
            prefills=self.profile.takes_prefill,
            thinks=self.ask.route.thinks,
        )

    def completion(self, generation: Generation, typed: int) -> Completion | Skip:
        """Fit what a generation says after `typed` characters to the text as it is now."""
        end = self.end(generation, typed)
        finish = generation.finish if end == len(generation.text) else Finish.CUT
        text = generation.text[typed:end]
        result = postprocess(text, finish, self.request)
        if isinstance(result, Skip):
            is_cut = text.strip() and result.reason in (Reason.EMPTY, Reason.ONLY_WHITESPACE)
            return Skip(Reason.ALL_CUT) if is_cut else result
        opaque_id = f"{generation.id}.{self.request.id}"
        return Completion(opaque_id, generation.id, self.request.point, result.end, result.text)


def accepted(request: CompletionRequest, shown: Completion) -> CompletionRequest:
    """Give what would be asked if a suggestion were accepted; nobody waits for it, so its number is negative."""
    before = request.document
    text = before.text.edit(shown.start, shown.end, shown.text)
    return replace(
        request,
        id=-request.id,
        document=replace(before, text=text),
        point=advance(shown.start, shown.text),
        trigger=Trigger.AUTOMATIC,
        selected=None,
        steps=RequestLog(),
    )


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """What a provider is asked, as it is sent."""

    prompt: Prompt
    profile: Profile
    gathered: ContextSelection
    """What of other places is in it, and what was left out."""


class Books(Protocol):
    """Who wants to know of calls, and knows what goes with them."""

    def gather(self, place: CompletionAttempt, budget_tokens: float) -> ContextSelection:
        """Choose what of other places goes with a prompt."""
        ...

    def began(self, place: CompletionAttempt) -> None:
        """Take note of a call."""
        ...

    def metered(self, place: CompletionAttempt, question: PreparedPrompt, stream: Stream) -> MeteredStream:
        """Count what a call uses."""
        ...

    def wrote(self, order: MeteredCall, generation_id: int) -> None:
        """Take note of which call a generation comes from."""
        ...

    def keep(self, place: CompletionAttempt, generation: Generation, order: MeteredCall | None) -> None:
        """Keep what a call gave."""
        ...

    def went_well(self, place: CompletionAttempt) -> None:
        """Take note that a call gave text, once for each call."""
        ...

    def phrase_words(self, place: CompletionAttempt) -> int:
        """Say how many words of a line are shown at once."""
        ...

    def failed(self, place: CompletionAttempt, error: LlmLspError) -> None:
        """Take note that a call failed."""
        ...

    def left(self, place: CompletionAttempt) -> None:
        """Take note that a call was closed before its end."""
        ...


class CompletionJob:
    """How to make the call for a place; nothing is built before the call is made."""

    def __init__(
        self, place: CompletionAttempt, books: Books, redactor: Redactor, progress: Progress | None
    ) -> None:
        self._place = place
        self._books = books
        self._redactor = redactor
        self._progress = progress
        self._order: MeteredCall | None = None
        self._went_well = False

    def begin(self) -> Stream:
        """Build the prompt and begin the call."""
        self._books.began(self._place)
        question = self.question()
        # Who lets a model think waits for it as a command does.
        thinks = self._place.ask.route.thinks
        patience = Patience.COMMAND if thinks else self._place.request.patience
        stream = self._place.provider.stream(question.prompt, patience)
        metered = self._books.metered(self._place, question, stream)
        self._order = metered.order
        return metered

    def question(self) -> PreparedPrompt:
        """Write what is sent: nothing is added, masked or taken away after this.

        A failing search for secrets fails the call: nothing is sent unsearched.
        """
        place = self._place
        prompt = build_prompt(self._window, place.profile, place.mode, self._gathered.snippets, place.style)
        if place.request.sample:
            prompt = replace(prompt, temperature=SAMPLE_TEMPERATURE)
        if place.runtime.config.privacy.redact_secrets:
            prompt, _ = redact_prompt(prompt, self._redactor.redact)
        return PreparedPrompt(prompt, place.profile, self._gathered)

    def reader(self) -> StreamReader:
        """Give what decides when the stream is complete."""
        place = self._place
        may_grow = place.runtime.config.completion.multiline != "never"
        rule = stop_rule(self._window, place.profile, place.mode, place.style, may_grow=may_grow)
        # Where closing does not stop the bill the model was told to stop at the line's end.
        lines = STREAK_LINES if place.profile.cancel_stops_billing else 0
        return ReadAhead(rule, lines, self._books.phrase_words(place))

    def named(self, generation_id: int) -> None:
        """Tell whose text it will be."""
        if self._order is not None:
            self._books.wrote(self._order, generation_id)

    def streamed(self, generation: Generation) -> None:
        """Show the text so far, as it would be inserted; what is read on for later is not shown."""
        if self._progress is None or generation.units:
            return
        last_line = generation.text.rpartition("\n")[2].strip()
        if last_line and self._place.ask.cursor.context_key.below.startswith(last_line):
            # It may turn out to be the line that stands there already.
            return
        result = postprocess(generation.text, Finish.CUT, self._place.request)
        if not isinstance(result, Skip):
            self._progress(result.text)

    def done(self, generation: Generation) -> None:
        """Keep a generation for its place, also when nobody waits for it any more."""
        self._books.keep(self._place, generation, self._order)
        if generation.finish is not Finish.TRUNCATED and not self._went_well:
            self._went_well = True
            self._books.went_well(self._place)

    def failed(self, error: LlmLspError) -> None:
        """Tell of the call's failure."""
        self._books.failed(self._place, error)

    def left(self) -> None:
        """Tell that the call was closed."""
        self._books.left(self._place)

    @cached_property
    def _gathered(self) -> ContextSelection:
        return self._books.gather(self._place, self._budget_tokens)

    @cached_property
    def _window(self) -> Window:
        request, gathered = self._place.request, self._gathered
        window = cut_window(request.document, request.point, self._budget_tokens - gathered.tokens)
        return replace(window, path=gathered.path) if gathered.path else window

    @property
    def _budget_tokens(self) -> float:
        return self._place.slot.budget_tokens(self._place.profile, self._place.attempt.share)
