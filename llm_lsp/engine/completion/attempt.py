"""One attempt to answer a completion request with one provider."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.prompt.chat_prompt import EXAMPLES, RULES, ChatStyle, Example
from llm_lsp.core.prompt.completion_mode import choose_mode
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Mode, Patience, Trigger
from llm_lsp.core.response.confidence.estimate import Calibration
from llm_lsp.core.response.confidence.sure_extent import SureExtent, cuts, sure_extent
from llm_lsp.core.response.postprocess import postprocess
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.cursor_context import cursor_context_at
from llm_lsp.core.text.text import advance
from llm_lsp.core.text.typing_pace import TypingPace, ready_at, slow_pause_s
from llm_lsp.engine.completion.events import Ask, Route
from llm_lsp.engine.models.provider_choice import ProviderChoice

_WITHOUT_TEXT = {
    Finish.BLOCKED: Reason.BLOCKED,
    Finish.THOUGHTS: Reason.ONLY_THOUGHTS,
    Finish.LOADED: Reason.ONLY_LOADED,
    Finish.PROSE: Reason.NO_CODE,
}


@dataclass(frozen=True, slots=True)
class CompletionAttempt:
    """A request with the provider chosen for it, and what the scheduler needs to know of both."""

    request: CompletionRequest
    choice: ProviderChoice
    mode: Mode
    ask: Ask

    @classmethod
    def of(cls, request: CompletionRequest, choice: ProviderChoice, pace: TypingPace) -> CompletionAttempt:
        """Examine the text around the cursor, a limited number of lines."""
        profile, settings = choice.profile, choice.runtime.config.completion
        is_manual = request.trigger is Trigger.MANUAL
        mode = choose_mode(request.document, request.point, settings.multiline, manual=is_manual)
        thinks = is_manual and profile.thinks_by_hand
        route = Route(
            profile.provider, profile.model, profile.fim, choice.runtime.epoch, thinks, request.sample
        )
        # A menu closes when an item is accepted, so part of a line would be useless there.
        # With log-probabilities the line is judged as a whole, see `extent`.
        is_partial = settings.length == "auto" and not profile.sends_logprobs
        by_phrase = is_partial and request.face == "inline" and not is_manual
        ask = Ask(
            request.id,
            cursor_context_at(request.document, request.point),
            route,
            request.face,
            _ready_at(request, choice, pace),
            profile.max_in_flight,
            is_hole=mode is Mode.HOLE,
            by_phrase=by_phrase,
        )
        return cls(request, choice, mode, ask)

    def at(self, ready_at: float) -> CompletionAttempt:
        """Return the same attempt with a call at `ready_at`, in seconds of the engine's clock, at the earliest."""
        return replace(self, ask=replace(self.ask, ready_at=ready_at))

    @property
    def is_manual(self) -> bool:
        return self.request.trigger is Trigger.MANUAL

    @property
    def profile(self) -> Profile:
        return self.choice.profile

    @property
    def chat_style(self) -> ChatStyle:
        """How a chat model is prompted, according to the settings."""
        said = self.choice.runtime.config.chat
        examples = tuple(
            Example(one.before, one.answer, one.after, one.path, one.language) for one in said.examples
        )
        return ChatStyle(
            said.system_prompt or RULES,
            examples or EXAMPLES,
            prefills=self.profile.takes_prefill,
            thinks=self.ask.route.thinks,
        )

    def end(self, generation: Generation, typed: int) -> int:
        """Return the offset in a generation up to which it is shown after `typed` characters."""
        end = generation.end_after(typed, by_phrase=self.ask.by_phrase)
        return len(generation.text) if end is None else end

    def extent(self, generation: Generation, typed: int, calibration: Calibration) -> SureExtent | None:
        """Return how much of a generation is likely right; None if it is not judged.

        Only what is shown while typing is judged, if the API tells how likely each token is.
        """
        request, settings = self.request, self.choice.runtime.config.completion
        is_automatic = request.trigger is Trigger.AUTOMATIC and request.patience is Patience.TYPING
        if not generation.logprobs or not is_automatic or request.face != "inline" or request.sample:
            return None
        end = self.end(generation, typed)
        if not generation.text[typed:end].strip():
            return None
        is_whole = settings.length == "line" or self.mode is Mode.HOLE
        return sure_extent(
            generation,
            typed,
            (end,) if is_whole else cuts(generation, typed, end),
            starts_line=not self.ask.cursor.line_prefix.strip(),
            eagerness=settings.eagerness,
            calibration=calibration,
        )

    def completion(self, generation: Generation, typed: int, end: int) -> Completion | Skip:
        """Filter the part of a generation from `typed` to `end`, against the current text."""
        finish = generation.finish if end == len(generation.text) else Finish.CUT
        text = generation.text[typed:end]
        if not generation.text.strip() and (reason := _WITHOUT_TEXT.get(generation.finish)):
            return Skip(reason)
        result = postprocess(text, finish, self.request, is_continued=typed > 0)
        if isinstance(result, Skip):
            if result.reason not in (Reason.EMPTY, Reason.ONLY_WHITESPACE):
                return result
            if generation.text[:typed].strip():
                return Skip(Reason.ALL_TYPED)
            return Skip(Reason.ALL_CUT) if text.strip() else result
        opaque_id = f"{generation.id}.{self.request.id}"
        return Completion(opaque_id, generation.id, self.request.point, result.end, result.text)


def accepted(request: CompletionRequest, shown: Completion) -> CompletionRequest:
    """Return the request that would follow the acceptance of a suggestion; its id is negative."""
    before = request.document
    text = before.text.edit(shown.start, shown.end, shown.text)
    return replace(
        request,
        id=-request.id,
        document=replace(before, text=text),
        point=advance(shown.start, shown.text),
        trigger=Trigger.AUTOMATIC,
        selected=None,
    )


def _ready_at(request: CompletionRequest, choice: ProviderChoice, pace: TypingPace) -> float:
    """Return the earliest time of a call, in seconds of the engine's clock."""
    if request.patience is Patience.COMMAND:
        # A command waits until the provider can be called again, instead of failing.
        return choice.slot.health.ready_at
    if request.trigger is Trigger.MANUAL:
        return float("-inf")
    slow_s = slow_pause_s(choice.slot.speed.first_s)
    debounce_ms = choice.runtime.config.completion.debounce_ms
    if debounce_ms == "auto":
        line = request.document.text.line(request.point.line)
        usual = ready_at(pace, line[: request.point.column], line[request.point.column :])
        return max(usual, pace.last_edit_at + slow_s) if slow_s else usual
    return pace.last_edit_at + max(debounce_ms / 1000, slow_s)
