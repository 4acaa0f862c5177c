"""Which call to a model is made, joined or closed, as a pure state machine; knows no clock, no task, no HTTP.

`step(event, now)` gives the effects to carry out; asyncio is `calls.py`'s business. The mutable state is two
tables: `_waiting`, the requests that no call works for yet, and `_calls`, the calls in flight with their listeners.
Invariants: each request that was asked is settled once, by Give, Refuse, Fail or its own Cancelled; a call in
flight has a listener, is lingering or was made ahead; a provider never has more calls in flight than its slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.request import Face
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.cursor_context import CursorContext, typed_since
from llm_lsp.engine.completion.events import (
    Arrived,
    Ask,
    Asked,
    Cancelled,
    Close,
    Closed,
    CursorAt,
    Effect,
    Ended,
    Event,
    Fail,
    Failed,
    Foreseen,
    Give,
    Refuse,
    Start,
    Stopped,
    Streamed,
    Wake,
    Woke,
)
from llm_lsp.engine.completion.prefetch import PrefetchOdds
from llm_lsp.errors import LlmLspError

# Seconds that a call without listeners is kept, since the next request often agrees with it.
# Design, stage 2; a request follows its cancel within 90 ms in VS Code (measured in the references).
LINGER_S = 0.4
# Seconds that a call may go on for the lines after what it was made for: five lines at 20 tokens a second.
STREAK_S = 2.0
# Seconds that a call may take for a place that its user may come to: a slow local model's prompt and answer.
AHEAD_S = 10.0

NOTHING_YET = Generation(0, "", Finish.TRUNCATED, ())


@dataclass(slots=True)
class _Call:
    call_id: int
    base: Ask
    generation: Generation = NOTHING_YET
    listeners: dict[int, Ask] = field(default_factory=dict)
    idle_since: float = 0.0
    """When the last listener left, or the last edit came that agrees with it."""
    is_ahead: bool = False
    """Whether it is made for a place that its user has not come to yet."""

    @property
    def ends_at(self) -> float | None:
        """When it is closed if nobody joins it; None while there is a listener."""
        if self.listeners:
            return None
        if self.is_ahead:
            return self.idle_since + AHEAD_S
        has_answered = self.generation.units or self.generation.phrases
        return self.idle_since + (STREAK_S if has_answered else LINGER_S)

    def typed(self, ask: Ask) -> str | None:
        """Give what was typed since its text began to come; None where that does not agree."""
        if ask.route != self.base.route or (ask.is_hole and not self.base.is_hole):
            return None
        return typed_since(self.base.cursor, self.generation.text, ask.cursor)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The last chance to ask ahead, and the call if one was made."""

    chance: Foreseen
    call: _Call | None

    def typed(self, cursor: CursorContext) -> str | None:
        """Give what was typed behind the suggestion; None where the cursor is not behind it."""
        return typed_since(self.chance.ask.cursor, self.call.generation.text if self.call else "", cursor)

    def is_left(self, cursor: CursorContext) -> bool:
        """Whether its user went elsewhere, or typed something else than what is shown."""
        return typed_since(self.chance.shown_at, self.chance.shown, cursor) is None


class Scheduler:
    """The state machine; one for all documents and providers."""

    def __init__(self) -> None:
        self._waiting: dict[int, Ask] = {}
        self._calls: dict[int, _Call] = {}
        self._next_call_id = 1
        self._ahead: _Ahead | None = None
        self._odds = PrefetchOdds()

    def step(self, event: Event, now: float) -> list[Effect]:
        """Take an event in and say what is to be done, in order."""
        effects: list[Effect] = []
        match event:
            case Arrived(uri, face):
                effects += self._supersede(uri, face, now)
            case Asked(ask):
                effects += self._asked(ask, now)
            case CursorAt(cursor):
                effects += self._cursor_at(cursor, now)
            case Foreseen():
                effects += self._foreseen(event, now)
            case Cancelled(request_id):
                self._leave(request_id, now)
            case Streamed(call_id, generation):
                n_waiting = len(self._waiting)
                effects += self._streamed(call_id, generation, now)
                if not effects and len(self._waiting) == n_waiting:
                    return effects  # Most pieces change nothing, and come in bursts.
            case Ended(call_id, generation):
                effects += self._ended(call_id, generation)
            case Failed(call_id, error):
                effects += self._failed(call_id, error)
            case Closed(uri):
                if self._ahead and self._ahead.chance.ask.uri == uri:
                    self._ahead = None
                effects += self._drop(lambda ask: ask.uri == uri, Reason.CANCELLED)
            case Stopped():
                effects += self._drop(lambda ask: True, Reason.SHUTTING_DOWN)
            case Woke():
                pass
        effects += self._expire(now)
        effects += self._start_due(now)
        effects += self._next_wake(now)
        return effects

    @property
    def in_flight(self) -> int:
        """Calls under way, for all providers."""
        return len(self._calls)

    @property
    def is_watching(self) -> bool:
        """Whether it matters where the cursor is."""
        return bool(self._calls or self._ahead)

    def can_join(self, ask: Ask) -> bool:
        """Say whether a call under way agrees with a request, so that it needs none of its own."""
        return any(call.typed(ask) is not None for call in self._calls.values())

    @property
    def unsettled(self) -> frozenset[int]:
        """Requests that were asked and not settled yet."""
        listening = (request_id for call in self._calls.values() for request_id in call.listeners)
        return frozenset((*self._waiting, *listening))

    def _asked(self, ask: Ask, now: float) -> Iterator[Effect]:
        if call := self._join(ask):
            yield from self._serve(call, now)
            return
        self._waiting[ask.request_id] = ask
        for call in [*self._calls.values()]:
            # Its user went on to something else: what it streams can no longer be shown.
            if call.base.uri == ask.uri and not call.listeners:
                yield self._close(call)

    def _supersede(self, uri: str, face: Face, now: float) -> Iterator[Effect]:
        for ask in [*self._pending()]:
            if (ask.uri, ask.face) == (uri, face):
                self._leave(ask.request_id, now)
                yield Refuse(ask.request_id, Reason.SUPERSEDED)

    def _cursor_at(self, cursor: CursorContext, now: float) -> Iterator[Effect]:
        for call in self._calls.values():
            if not call.is_ahead and typed_since(call.base.cursor, call.generation.text, cursor) is not None:
                call.idle_since = now
        ahead = self._ahead
        if ahead is None or ahead.chance.ask.uri != cursor.context_key.uri:
            return
        if (typed := ahead.typed(cursor)) is not None:
            self._settle_ahead(len(typed))
        elif ahead.is_left(cursor):
            self._settle_ahead(None)
            if ahead.call and not ahead.call.listeners and ahead.call.call_id in self._calls:
                yield self._close(ahead.call)

    def _settle_ahead(self, typed: int | None) -> None:
        """Count what came of the last chance: `typed` characters behind the suggestion, or None for elsewhere."""
        if self._ahead is None:
            return
        call, self._ahead = self._ahead.call, None
        is_used = False
        if call and typed is not None:
            # One that still streams is joined.
            is_used = call.call_id in self._calls or call.generation.end_after(typed) is not None
        self._odds = self._odds.settled(reached=typed is not None, used=is_used if call else None)

    def _foreseen(self, chance: Foreseen, now: float) -> Iterator[Effect]:
        """Ask ahead where it pays and nobody needs the model."""
        if self.can_join(chance.ask) or (self._ahead and self._ahead.chance.ask.cursor == chance.ask.cursor):
            return
        self._settle_ahead(None)
        is_idle = not self._waiting and not self._rivals(chance.ask)
        call = None
        if is_idle and self._odds.pays(is_free=chance.is_free):
            call = self._new_call(chance.ask)
            call.is_ahead, call.idle_since = True, now
            yield Start(call.call_id, chance.ask.request_id)
        self._odds = self._odds.chance(called=call is not None)
        self._ahead = _Ahead(chance, call)

    def _pending(self) -> Iterator[Ask]:
        yield from self._waiting.values()
        for call in self._calls.values():
            yield from call.listeners.values()

    def _join(self, ask: Ask) -> _Call | None:
        for call in self._calls.values():
            if call.typed(ask) is not None:
                call.listeners[ask.request_id] = ask
                return call
        return None

    def _leave(self, request_id: int, now: float) -> None:
        self._waiting.pop(request_id, None)
        for call in self._calls.values():
            if call.listeners.pop(request_id, None) and not call.listeners:
                call.idle_since = now

    def _streamed(self, call_id: int, generation: Generation, now: float) -> Iterator[Effect]:
        call = self._calls.get(call_id)
        if call is None:
            return
        known = call.generation
        has_more = (generation.units, generation.phrases) != (known.units, known.phrases)
        call.generation = generation
        for ask in [*call.listeners.values()]:
            # Who asked for this very text agrees with it, whatever it is.
            if ask is not call.base and call.typed(ask) is None:
                self._leave(ask.request_id, now)
                self._waiting[ask.request_id] = ask
                if not call.listeners:
                    yield self._close(call)
        if has_more:
            yield from self._serve(call, now)

    def _serve(self, call: _Call, now: float) -> Iterator[Effect]:
        """Answer the listeners for whom a whole unit is there; what comes after it is for later."""
        for ask in [*call.listeners.values()]:
            typed = call.typed(ask)
            if typed is None:
                continue
            if call.generation.end_after(len(typed), by_phrase=ask.by_phrase) is not None:
                self._leave(ask.request_id, now)
                yield Give(ask.request_id, call.generation, typed)

    def _ended(self, call_id: int, generation: Generation) -> Iterator[Effect]:
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        call.generation = generation
        # Whoever waits for something else may be served by this as well.
        for request_id, ask in {**self._waiting, **call.listeners}.items():
            typed = call.typed(ask)
            if typed is not None and len(typed) <= len(generation.text) and generation.answers(len(typed)):
                self._waiting.pop(request_id, None)
                yield Give(request_id, generation, typed)
            else:
                self._waiting[request_id] = ask

    def _failed(self, call_id: int, error: LlmLspError) -> Iterator[Effect]:
        call = self._calls.pop(call_id, None)
        for request_id in call.listeners if call else ():
            yield Fail(request_id, error)

    def _drop(self, concerns: Callable[[Ask], bool], reason: Reason) -> Iterator[Effect]:
        for ask in [*self._pending()]:
            if concerns(ask):
                self._leave(ask.request_id, 0.0)
                yield Refuse(ask.request_id, reason)
        for call in [*self._calls.values()]:
            if concerns(call.base):
                yield self._close(call)

    def _close(self, call: _Call) -> Close:
        del self._calls[call.call_id]
        return Close(call.call_id)

    def _expire(self, now: float) -> Iterator[Effect]:
        for call in [*self._calls.values()]:
            if call.ends_at is not None and now >= call.ends_at:
                yield self._close(call)

    def _start_due(self, now: float) -> Iterator[Effect]:
        # The newest first: it is what the user looks at.
        for ask in sorted(self._waiting.values(), key=lambda ask: -ask.request_id):
            if ask.ready_at > now:
                continue
            if self._join(ask):
                del self._waiting[ask.request_id]
                continue
            rivals = self._rivals(ask)
            if len(rivals) >= ask.slots:
                idle = next((call for call in rivals if not call.listeners), None)
                if idle is None:
                    continue
                yield self._close(idle)
            del self._waiting[ask.request_id]
            call = self._new_call(ask)
            call.listeners[ask.request_id] = ask
            yield Start(call.call_id, ask.request_id)

    def _new_call(self, base: Ask) -> _Call:
        call = self._calls[self._next_call_id] = _Call(self._next_call_id, base)
        self._next_call_id += 1
        return call

    def _rivals(self, ask: Ask) -> list[_Call]:
        """Give the calls in flight that a request shares its provider's slots with."""
        return [call for call in self._calls.values() if call.base.route.provider == ask.route.provider]

    def _next_wake(self, now: float) -> Iterator[Effect]:
        times = [call.ends_at for call in self._calls.values() if call.ends_at is not None]
        # Who is due but has no slot is woken by a call's end.
        times += [ask.ready_at for ask in self._waiting.values() if ask.ready_at > now]
        if times:
            yield Wake(min(times))
