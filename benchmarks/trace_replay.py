"""Replays recorded sessions: in virtual time against the engine, or against the process of any language server."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from benchmarks.record import PROFILE
from benchmarks.recorded_model import RecordedAnswers, SimulatedAnswers, TimedProvider
from benchmarks.recording import Recording, Token
from benchmarks.trace import TypingTrace
from benchmarks.user import Habit, Moment, Shown, TraceUser
from benchmarks.world import Model, Silent, VirtualClock
from benchmarks.written_trace import WrittenTrace
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, common_start
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from tests.doubles import at_once

# A model of 0.5B on a processor that is not busy, as `llm-lsp model ps` shows it.
LOCAL_MODEL = Model(first_s=0.25, tokens_per_s=40.0)
SIMULATED_PROFILE = Profile("simulated", "m", "qwen", context_tokens=2048)


@dataclass(frozen=True, slots=True)
class Replay:
    """What is replayed, and how."""

    trace: TypingTrace
    habit: Habit = "words"
    model: Model = LOCAL_MODEL
    recording: Recording | None = None
    """None for a simulated model."""
    settings: Mapping[str, object] = field(default_factory=dict)
    asks_after: tuple[Moment, ...] = ("typed",)
    reading_keys: float = 0.0
    """What reading a word costs, in keys."""

    @property
    def profile(self) -> Profile:
        told = dataclasses.replace(PROFILE, sends_logprobs=True, is_small=True)
        profile = told if self.recording else SIMULATED_PROFILE
        billing = self.model.cancel_stops_billing
        flights = profile.max_in_flight if billing else 1
        return dataclasses.replace(profile, cancel_stops_billing=billing, max_in_flight=flights)

    def answers(self, written: WrittenTrace) -> RecordedAnswers | SimulatedAnswers:
        """Return what the model answers."""
        if self.recording:
            return RecordedAnswers(written, self.recording)
        return SimulatedAnswers(written, self.model)


class TraceEngineDesk:
    """The engine in this process, and a clock that jumps."""

    def __init__(self, written: WrittenTrace, replay: Replay) -> None:
        self.clock = VirtualClock()
        self.provider = TimedProvider(self.clock, replay.model, replay.profile, replay.answers(written))
        silent = Silent(self.provider)
        world = EngineDependencies(silent, silent.with_folders, self.clock, in_thread=at_once)
        stack = SettingsStack().with_layer(SettingsSource.USER_FILE, replay.settings)
        self.engine = CompletionEngine(stack, world, silent)
        self._written = written
        self._document = Document(
            f"file:///session/{written.trace.name}", written.trace.language, 1, written.text
        )
        self.engine.open(self._document)

    def now(self) -> float:
        return self.clock.now()

    async def until(self, when: float) -> None:
        """Let all that is due by then happen."""
        await self.clock.until(when)

    def change(self, edits: tuple[Edit, ...]) -> None:
        """Set the text after edits."""
        before = self._document
        self._document = Document(before.uri, before.language, before.version + 1, self._written.text)
        self.engine.change(self._document, edits)

    async def ask(self) -> Shown:
        """Ask at the cursor."""
        document, cursor = self._document, self._written.cursor
        request = CompletionRequest(
            self.engine.next_id(), document, cursor, Trigger.AUTOMATIC, "inline", self.clock.now()
        )
        answer = await self.engine.complete(request)
        if not isinstance(answer, Completion):
            return Shown()
        typed = document.text.slice(answer.start, cursor)
        rest = document.text.slice(cursor, answer.end)
        return Shown(offered(answer.text, typed, rest), answer.id)

    def accepted(self, shown: Shown) -> None:
        """Report an acceptance."""
        self.engine.accepted(shown.id)


class OracleDesk:
    """Shows each of the model's answers up to its last right character, and nothing else.

    The model is asked at every key, and no answer is lost by typing on.
    """

    def __init__(self, written: WrittenTrace, replay: Replay) -> None:
        self.clock = VirtualClock()
        self._written = written
        self._answers = replay.answers(written)
        self._model = replay.model
        self._cursor = -1
        self._known: list[tuple[float, int]] = []
        """When the right part of an answer is there, and the offset at which it ends."""

    def now(self) -> float:
        return self.clock.now()

    async def until(self, when: float) -> None:
        """Let all that is due by then happen."""
        await self.clock.until(when)

    def change(self, edits: tuple[Edit, ...]) -> None:
        """Forget the answers if the user did something else than typing on."""
        offset = self._written.offset
        if offset - sum(len(edit.text) for edit in edits) != self._cursor or edits[0].start != edits[0].end:
            self._known = []
        self._cursor = offset

    async def ask(self) -> Shown:
        """Return the longest right part that is there, or else the next one that comes."""
        written, now = self._written, self.now()
        tokens, _ = self._answers.answer(written.string[: written.offset])
        right = common_start("".join(token.text for token in tokens), written.ahead())
        n_read = _tokens_of(tokens, right)
        done = now + self._model.first_s + n_read / self._model.tokens_per_s
        self._known.append((done, written.offset + right))
        here = max((end for when, end in self._known if when <= now), default=0)
        if later := [(when, end) for when, end in self._known if when > now and end > here]:
            when, here = min(later)
            await self.clock.sleep(when - now)
        text = written.ahead()[: max(0, here - written.offset)]
        return Shown(text if text.strip() else "")

    def accepted(self, shown: Shown) -> None:
        """Nothing is learned from it."""


def _tokens_of(tokens: Sequence[Token], n_chars: int) -> int:
    """Return how many tokens hold so many characters."""
    ends = accumulate(len(token.text) for token in tokens)
    return sum(end < n_chars for end in ends) + 1


def offered(new: str, typed: str, rest: str) -> str:
    """Return what an item shows at the cursor: without what its range repeats; "" if it changes that."""
    if not new.startswith(typed) or rest not in new[len(typed) :]:
        return ""
    return new[len(typed) : new.rindex(rest) if rest else None]


async def replay_trace(replay: Replay) -> dict[str, float]:
    """Replay a trace in virtual time, and return the figures."""
    written = WrittenTrace(replay.trace)
    desk = TraceEngineDesk(written, replay)
    balance = await TraceUser(written, desk, replay.habit, replay.asks_after).run()
    await desk.engine.aclose()
    written_tokens = [stream.n_written for stream in desk.provider.streams]
    figures = balance.report(len(written_tokens), sum(written_tokens), replay.reading_keys)
    oracle = await replay_oracle(replay)
    return {
        **figures,
        "not_recorded": desk.provider.answers.missing,
        "oracle_net_saved_per_100": oracle["net_saved_per_100"],
        "oracle_paints": oracle["paints"],
    }


async def replay_oracle(replay: Replay) -> dict[str, float]:
    """Return the figures of the same answers, shown up to their last right character."""
    written = WrittenTrace(replay.trace)
    desk = OracleDesk(written, replay)
    balance = await TraceUser(written, desk, replay.habit, replay.asks_after).run()
    return balance.report(0, 0, replay.reading_keys)


def together(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the figures of several windows: sums of counts, and means that are weighted by characters or paints."""
    if len(figures) == 1:
        return dict(figures[0])
    sums = {
        name: sum(each[name] for each in figures) for name in ("chars", "edits", "paints", "calls", "tokens")
    }
    sums |= {name: sum(each.get(name, 0) for each in figures) for name in ("not_recorded", "oracle_paints")}
    merged: dict[str, float] = {}
    for name in figures[0]:
        weight = "paints" if name == "first_word_wrong_share" else "chars"
        total = sum(each[weight] for each in figures)
        mean = sum(each[name] * each[weight] for each in figures) / max(1, total)
        merged[name] = sums[name] if name in sums else round(mean, 3)
    return merged
