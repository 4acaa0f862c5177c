"""Decides which calls are made, joined and closed, as a pure state machine.

`step(event, now)` returns the effects to carry out, in order; `executor.py` carries them out with asyncio. The
state consists of two tables: `_waiting`, the requests without a call, and `_calls`, the calls in flight with their
listeners, which are the requests that wait for a call's text.

What happens to a request:

1. It arrives (`Arrived`) and supersedes earlier requests of its document and face.
2. If it needs a model (`Asked`), it joins a call in flight whose text agrees with what the user has typed since that
   call started. Otherwise it waits until its `ready_at`, the end of the debounce, and until a slot is free; then a call
   starts.
3. Each piece of text (`Streamed`) answers the listeners that now have a complete unit, such as a line. A listener that
   no longer agrees with the text waits for another call.

A call without listeners is not closed at once, since the next request often agrees with it. It stays open for a grace
period, which is longer while it reads ahead, and longest for a prefetch. `Wake` announces the next time at which
something is due.

Invariants: every asked request is settled exactly once, by Give, Refuse, Fail or its own Cancelled. Every call in
flight has a listener, is in its grace period or is a prefetch. A provider never has more calls in flight than slots.
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
    Give,
    PrefetchOffered,
    Refuse,
    Start,
    Stopped,
    Streamed,
    SwitchedOff,
    Wake,
    Woke,
)
from llm_lsp.engine.completion.prefetch import PrefetchOdds
from llm_lsp.errors import LlmLspError

# Grace period in seconds: a call without listeners is kept, since the next request often agrees with it. A request
# follows its cancel within 90 ms in VS Code (measured, 12 keys typed at 90 ms).
GRACE_S = 0.4
# Seconds that a call without listeners may read ahead: five lines at 20 tokens a second.
READ_AHEAD_S = 2.0
# Seconds that a prefetch may take: enough for prompt and answer on a slow local model.
PREFETCH_S = 10.0
# Seconds without text after which the only slot of a slow provider counts as busy with a prompt. Closing the call
# would free the model only at the end of a batch, and the next prompt would start from the beginning. Requests wait
# for the first text instead, but no longer than this, in case the server hangs.
AT_WORK_S = 1.0
MOST_AT_WORK_S = 60.0

NOTHING_YET = Generation(0, "", Finish.TRUNCATED, ())


@dataclass(slots=True)
class _Call:
    call_id: int
    base: Ask
    began_at: float = 0.0
    generation: Generation = NOTHING_YET
    listeners: dict[int, Ask] = field(default_factory=dict)
    idle_since: float = 0.0
    """When the last listener left, or the last edit agreed with the text."""
    is_prefetch: bool = False
    """Whether it is a prefetch for a place that the user has not reached yet."""

    @property
    def ends_at(self) -> float | None:
        """When it will be closed unless a request joins it; None while it has listeners."""
        if self.listeners:
            return None
        if self.is_prefetch:
            return self.idle_since + PREFETCH_S
        has_answered = self.generation.units or self.generation.phrases
        return self.idle_since + (READ_AHEAD_S if has_answered else GRACE_S)

    def is_at_work(self, now: float) -> bool:
        """Check whether a slow model with one slot is reading the prompt, which it may finish."""
        is_slow = AT_WORK_S <= now - self.began_at < MOST_AT_WORK_S
        return self.base.slots == 1 and is_slow and not self.is_prefetch and not self.generation.text

    def typed(self, ask: Ask) -> str | None:
        """Return what was typed since the call started; None if it does not agree with the call's text."""
        if ask.route != self.base.route or (ask.is_hole and not self.base.is_hole):
            return None
        return typed_since(self.base.cursor, self.generation.text, ask.cursor)


@dataclass(frozen=True, slots=True)
class _LastPrefetch:
    """The last prefetch offer, and its call if one was made."""

    chance: PrefetchOffered
    call: _Call | None

    def typed(self, cursor: CursorContext) -> str | None:
        """Return what was typed after the suggestion; None if the cursor is not there."""
        return typed_since(self.chance.ask.cursor, self.call.generation.text if self.call else "", cursor)

    def is_left(self, cursor: CursorContext) -> bool:
        """Check whether the user has moved away, or typed something other than the suggestion."""
        return typed_since(self.chance.shown_at, self.chance.shown, cursor) is None


class Scheduler:
    """The state machine; one for all documents and providers."""

    def __init__(self) -> None:
        self._waiting: dict[int, Ask] = {}
        self._calls: dict[int, _Call] = {}
        self._next_call_id = 1
        self._last_prefetch: _LastPrefetch | None = None
        self._odds = PrefetchOdds()

    def step(self, event: Event, now: float) -> list[Effect]:
        """Process an event; return the effects to carry out, in order."""
        effects: list[Effect] = []
        match event:
            case Arrived(uri, face):
                effects += self._supersede(uri, face, now)
            case Asked(ask):
                effects += self._asked(ask, now)
            case CursorAt(cursor):
                effects += self._cursor_at(cursor, now)
            case PrefetchOffered():
                effects += self._prefetch_offered(event, now)
            case Cancelled(request_id):
                self._leave(request_id, now)
            case Streamed(call_id, generation):
                n_waiting, is_first = len(self._waiting), self._is_first_text(call_id)
                effects += self._streamed(call_id, generation, now)
                if not effects and len(self._waiting) == n_waiting and not is_first:
                    return effects  # most pieces change nothing, and arrive in bursts
            case Ended(call_id, generation):
                effects += self._ended(call_id, generation)
            case Failed(call_id, error):
                effects += self._failed(call_id, error)
            case Closed(uri):
                if self._last_prefetch and self._last_prefetch.chance.ask.uri == uri:
                    self._last_prefetch = None
                effects += self._drop(lambda ask: ask.uri == uri, Reason.CANCELLED)
            case SwitchedOff():
                self._last_prefetch = None
                effects += self._drop(lambda ask: True, Reason.DISABLED)
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
        """Return the number of calls in flight at all providers."""
        return len(self._calls)

    @property
    def is_watching(self) -> bool:
        """Whether cursor moves can change anything."""
        return bool(self._calls or self._last_prefetch)

    def can_join(self, ask: Ask) -> bool:
        """Check whether a call in flight agrees with a request, which then needs no call of its own."""
        return any(call.typed(ask) is not None for call in self._calls.values())

    @property
    def unsettled(self) -> frozenset[int]:
        """Return the requests that were asked and not settled yet."""
        listening = (request_id for call in self._calls.values() for request_id in call.listeners)
        return frozenset((*self._waiting, *listening))

    def _asked(self, ask: Ask, now: float) -> Iterator[Effect]:
        if call := self._join(ask):
            yield from self._serve(call, now)
            return
        self._waiting[ask.request_id] = ask
        for call in [*self._calls.values()]:
            # The user has moved on, so this call's text can no longer be shown.
            if call.base.uri == ask.uri and not call.listeners and not call.is_at_work(now):
                yield self._close(call)

    def _supersede(self, uri: str, face: Face, now: float) -> Iterator[Effect]:
        for ask in [*self._pending()]:
            if (ask.uri, ask.face) == (uri, face):
                self._leave(ask.request_id, now)
                yield Refuse(ask.request_id, Reason.SUPERSEDED)

    def _cursor_at(self, cursor: CursorContext, now: float) -> Iterator[Effect]:
        for call in self._calls.values():
            if (
                not call.is_prefetch
                and typed_since(call.base.cursor, call.generation.text, cursor) is not None
            ):
                call.idle_since = now
        ahead = self._last_prefetch
        if ahead is None or ahead.chance.ask.uri != cursor.context_key.uri:
            return
        if (typed := ahead.typed(cursor)) is not None:
            self._settle_prefetch(len(typed))
        elif ahead.is_left(cursor):
            self._settle_prefetch(None)
            if ahead.call and not ahead.call.listeners and ahead.call.call_id in self._calls:
                yield self._close(ahead.call)

    def _settle_prefetch(self, typed: int | None) -> None:
        """Count the outcome of the last offer: `typed` characters after the suggestion, or None if the user
        left.
        """
        if self._last_prefetch is None:
            return
        call, self._last_prefetch = self._last_prefetch.call, None
        is_used = False
        if call and typed is not None:
            # A call that is still streaming will be joined.
            is_used = call.call_id in self._calls or call.generation.end_after(typed) is not None
        self._odds = self._odds.settled(reached=typed is not None, used=is_used if call else None)

    def _prefetch_offered(self, chance: PrefetchOffered, now: float) -> Iterator[Effect]:
        """Start a prefetch if it is worthwhile and the model is idle."""
        if self.can_join(chance.ask) or (
            self._last_prefetch and self._last_prefetch.chance.ask.cursor == chance.ask.cursor
        ):
            return
        self._settle_prefetch(None)
        is_idle = not self._waiting and not self._rivals(chance.ask)
        call = None
        if is_idle and self._odds.pays(is_free=chance.is_free):
            call = self._new_call(chance.ask, now)
            call.is_prefetch, call.idle_since = True, now
            yield Start(call.call_id, chance.ask.request_id)
        self._odds = self._odds.chance(called=call is not None)
        self._last_prefetch = _LastPrefetch(chance, call)

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

    def _is_first_text(self, call_id: int) -> bool:
        """Check whether a call has had no text yet. Its first text means that the prompt is read."""
        call = self._calls.get(call_id)
        return call is not None and not call.generation.text

    def _streamed(self, call_id: int, generation: Generation, now: float) -> Iterator[Effect]:
        call = self._calls.get(call_id)
        if call is None:
            return
        known = call.generation
        has_more = (generation.units, generation.phrases) != (known.units, known.phrases)
        call.generation = generation
        for ask in [*call.listeners.values()]:
            # The request that the call was made for agrees with any text.
            if ask is not call.base and call.typed(ask) is None:
                self._leave(ask.request_id, now)
                self._waiting[ask.request_id] = ask
                if not call.listeners:
                    yield self._close(call)
        if has_more:
            yield from self._serve(call, now)

    def _serve(self, call: _Call, now: float) -> Iterator[Effect]:
        """Answer the listeners that have a complete unit; the call reads on."""
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
        # Also serve requests that wait for another call.
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
            if call.ends_at is not None and now >= call.ends_at and not self._is_awaited(call, now):
                yield self._close(call)

    def _is_awaited(self, call: _Call, now: float) -> bool:
        """Check whether a request waits for the slot of a call that may finish reading its prompt."""
        provider = call.base.route.provider
        return call.is_at_work(now) and any(ask.route.provider == provider for ask in self._waiting.values())

    def _start_due(self, now: float) -> Iterator[Effect]:
        # Newest first: that is where the user looks.
        for ask in sorted(self._waiting.values(), key=lambda ask: -ask.request_id):
            if ask.ready_at > now:
                continue
            if self._join(ask):
                del self._waiting[ask.request_id]
                continue
            rivals = self._rivals(ask)
            if len(rivals) >= ask.slots:
                idle = next(
                    (call for call in rivals if not call.listeners and not call.is_at_work(now)), None
                )
                if idle is None:
                    continue
                yield self._close(idle)
            del self._waiting[ask.request_id]
            call = self._new_call(ask, now)
            call.listeners[ask.request_id] = ask
            yield Start(call.call_id, ask.request_id)

    def _new_call(self, base: Ask, now: float) -> _Call:
        call = self._calls[self._next_call_id] = _Call(self._next_call_id, base, now)
        self._next_call_id += 1
        return call

    def _rivals(self, ask: Ask) -> list[_Call]:
        """Return the calls in flight at the same provider."""
        return [call for call in self._calls.values() if call.base.route.provider == ask.route.provider]

    def _next_wake(self, now: float) -> Iterator[Effect]:
        times = [
            max(call.ends_at, call.began_at + MOST_AT_WORK_S) if self._is_awaited(call, now) else call.ends_at
            for call in self._calls.values()
            if call.ends_at is not None
        ]
        # A request that is due but has no slot starts when a call ends, which needs no wake-up.
        times += [ask.ready_at for ask in self._waiting.values() if ask.ready_at > now]
        if times:
            yield Wake(min(times))
