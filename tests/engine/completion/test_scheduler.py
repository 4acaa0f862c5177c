"""Every interleaving of typing, cancelling, answering and failing, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.request import Face
from llm_lsp.core.skip import Reason
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
    Wake,
    Woke,
)
from llm_lsp.engine.completion.scheduler import (
    GRACE_S,
    MOST_AT_WORK_S,
    PREFETCH_S,
    READ_AHEAD_S,
    Scheduler,
)
from llm_lsp.errors import OverloadedError
from tests.engine.completion.asks import ask


def generation(text: str) -> Generation:
    return Generation(1, text, Finish.CUT, (len(text),))


def partial(text: str) -> Generation:
    """Return a generation without a complete unit."""
    return Generation(1, text, Finish.CUT, ())


def run(*events: tuple[float, Event]) -> list[Effect]:
    """Return the effects of the last event, without wake-ups."""
    scheduler = Scheduler()
    effects: list[Effect] = []
    for now, event in events:
        effects = [effect for effect in step(scheduler, event, now) if not isinstance(effect, Wake)]
    return effects


def step(scheduler: Scheduler, event: Event, now: float) -> list[Effect]:
    """Process one event; a request arrives before it asks."""
    before = scheduler.step(Arrived(event.ask.uri, event.ask.face), now) if isinstance(event, Asked) else []
    return [*before, *scheduler.step(event, now)]


def test_a_request_that_is_ready_starts_a_call() -> None:
    assert run((0, Asked(ask(1)))) == [Start(1, 1)]


def test_a_request_waits_until_it_is_ready() -> None:
    assert Scheduler().step(Asked(ask(1, ready_at=0.2)), 0) == [Wake(0.2)]
    assert run((0, Asked(ask(1, ready_at=0.2))), (0.2, Woke())) == [Start(1, 1)]


def test_a_newer_request_supersedes_one_that_waits() -> None:
    effects = run((0, Asked(ask(1, ready_at=9))), (1, Asked(ask(2, "x", ready_at=9))))

    assert effects == [Refuse(1, Reason.SUPERSEDED)]


def test_typing_along_joins_the_call_in_flight() -> None:
    effects = run((0, Asked(ask(1))), (0.1, Streamed(1, partial("fo"))), (0.2, Asked(ask(2, "foo"))))

    assert effects == [Refuse(1, Reason.SUPERSEDED)]


def test_who_joined_gets_what_is_left() -> None:
    whole = generation("foo(a)")
    effects = run((0, Asked(ask(1))), (0.2, Asked(ask(2, "foo"))), (0.3, Ended(1, whole)))

    assert effects == [Give(2, whole, "foo")]


def test_a_stream_that_contradicts_what_was_typed_is_closed_at_once_and_asked_anew() -> None:
    effects = run((0, Asked(ask(1))), (0.1, Asked(ask(2, "x"))), (0.2, Streamed(1, partial("y"))))

    assert effects == [Close(1), Start(2, 2)]


def test_going_on_with_something_else_closes_the_call_that_nobody_waits_for() -> None:
    effects = run(
        (0, Asked(ask(1))),
        (0.1, Streamed(1, partial("foo"))),
        (0.2, Cancelled(1)),
        (0.3, Asked(ask(2, "bar"))),
    )

    assert effects == [Close(1), Start(2, 2)]


def test_a_cancelled_call_lingers_for_the_next_request() -> None:
    whole = generation("foo")
    effects = run((0, Asked(ask(1))), (1, Cancelled(1)), (1.1, Asked(ask(2, "f"))), (9, Ended(1, whole)))

    assert effects == [Give(2, whole, "f")]


def test_a_cancelled_call_is_closed_when_it_has_lingered() -> None:
    scheduler = Scheduler()
    scheduler.step(Asked(ask(1)), 0)

    assert scheduler.step(Cancelled(1), 1) == [Wake(1 + GRACE_S)]
    assert scheduler.step(Woke(), 1 + GRACE_S) == [Close(1)]


def test_a_call_that_reads_on_for_later_ends_in_time() -> None:
    scheduler = Scheduler()
    step(scheduler, Asked(ask(1)), 0)
    scheduler.step(Streamed(1, generation("foo")), 1)

    assert scheduler.step(Woke(), 1 + GRACE_S) == [Wake(1 + READ_AHEAD_S)]
    assert scheduler.step(Woke(), 1 + READ_AHEAD_S) == [Close(1)]


def test_a_listener_that_disagrees_is_asked_for_anew_while_another_stays() -> None:
    events = (0.0, Asked(ask(1))), (0.0, Asked(ask(2, "b", face="menu"))), (0.1, Streamed(1, partial("xyz")))

    assert run(*events) == [Start(2, 2)]


def test_two_faces_of_one_place_share_a_call() -> None:
    whole = generation("foo")
    effects = run((0, Asked(ask(1))), (0, Asked(ask(2, face="menu"))), (1, Ended(1, whole)))

    assert effects == [Give(1, whole, ""), Give(2, whole, "")]


def test_without_a_free_slot_a_request_waits_for_a_calls_end() -> None:
    events = (0.0, Asked(ask(1, slots=1))), (0.0, Asked(ask(2, uri="b", slots=1)))

    assert run(*events) == []
    assert run(*events, (1, Ended(1, generation("x")))) == [Give(1, generation("x"), ""), Start(2, 2)]


def test_a_call_that_nobody_waits_for_makes_room() -> None:
    effects = run((0, Asked(ask(1, slots=1))), (0, Cancelled(1)), (0, Asked(ask(2, uri="b", slots=1))))

    assert effects == [Close(1), Start(2, 2)]


SLOW = ask(1, slots=1)


def test_a_prompt_that_a_slow_model_reads_is_not_given_up_for_the_next_request() -> None:
    began = (0.0, Asked(SLOW)), (5.0, Cancelled(1))
    elsewhere = (5.1, Asked(ask(2, uri="b", slots=1)))
    same_file = (5.1, Asked(ask(2, "x", slots=1, below="else")))

    assert run(*began, elsewhere) == run(*began, same_file) == []
    assert run(*began, elsewhere, (5.0 + 2 * GRACE_S, Woke())) == []
    assert run(*began, elsewhere, (9.0, Streamed(1, partial("fo")))) == [Close(1), Start(2, 2)]


def test_a_slow_prompt_that_nothing_waits_for_is_given_up() -> None:
    assert run((0.0, Asked(SLOW)), (5.0, Cancelled(1)), (5.0 + GRACE_S, Woke())) == [Close(1)]


def test_a_model_that_hangs_is_given_up_for_the_next_request() -> None:
    scheduler = Scheduler()
    for now, event in ((0.0, Asked(SLOW)), (5.0, Cancelled(1)), (5.1, Asked(ask(2, uri="b", slots=1)))):
        effects = step(scheduler, event, now)

    assert effects[-1] == Wake(MOST_AT_WORK_S)
    assert [effect for effect in scheduler.step(Woke(), MOST_AT_WORK_S)][:2] == [Close(1), Start(2, 2)]


def test_a_slow_answer_whose_text_has_begun_makes_room() -> None:
    effects = run(
        (0.0, Asked(SLOW)),
        (5.0, Streamed(1, partial("fo"))),
        (5.1, Cancelled(1)),
        (5.2, Asked(ask(2, uri="b", slots=1))),
    )

    assert effects == [Close(1), Start(2, 2)]


def test_with_more_slots_a_call_that_waits_long_makes_room() -> None:
    effects = run((0.0, Asked(ask(1))), (5.0, Cancelled(1)), (5.1, Asked(ask(2, "x", below="else"))))

    assert effects == [Close(1), Start(2, 2)]


def test_typing_beyond_the_generation_asks_for_more() -> None:
    effects = run((0, Asked(ask(1))), (0.1, Asked(ask(2, "foo"))), (0.2, Ended(1, generation("foo"))))

    assert effects == [Start(2, 2)]


def test_part_of_a_line_answers_who_takes_it_and_the_call_goes_on() -> None:
    begun = Generation(1, "foo = bar", Finish.CUT, (), phrases=(3,))
    both = (0.0, Asked(ask(1, by_phrase=True))), (0.0, Asked(ask(2, face="menu")))

    assert run(*both, (0.1, Streamed(1, begun))) == [Give(1, begun, "")]
    assert run(*both, (0.1, Streamed(1, begun)), (0.2, Asked(ask(3, "foo", by_phrase=True)))) == []


def test_a_failure_reaches_each_listener() -> None:
    error = OverloadedError("busy")

    assert run((0, Asked(ask(1))), (0, Asked(ask(2, face="menu"))), (1, Failed(1, error))) == [
        Fail(1, error),
        Fail(2, error),
    ]


def test_nothing_to_say_is_an_answer() -> None:
    assert run((0, Asked(ask(1))), (1, Ended(1, generation("")))) == [Give(1, generation(""), "")]


def test_closing_a_document_settles_its_requests_and_closes_its_calls() -> None:
    assert run((0, Asked(ask(1))), (0, Closed("a"))) == [Refuse(1, Reason.CANCELLED), Close(1)]


def test_stopping_settles_all() -> None:
    effects = run((0, Asked(ask(1))), (0, Asked(ask(2, uri="b", ready_at=9))), (0, Stopped()))

    assert effects == [Refuse(2, Reason.SHUTTING_DOWN), Refuse(1, Reason.SHUTTING_DOWN), Close(1)]


def offer_prefetch(
    shown: str = "foo", typed: str = "", *, number: int = 9, is_free: bool = True
) -> PrefetchOffered:
    """Report that `shown` is on screen after `typed`."""
    return PrefetchOffered(
        ask(-number, typed + shown, slots=1), ask(number, typed, slots=1).cursor, shown, is_free=is_free
    )


def cursor(typed: str, uri: str = "a") -> CursorAt:
    return CursorAt(ask(0, typed, uri=uri).cursor)


def test_a_call_that_nobody_waits_for_lives_on_while_edits_agree_with_it() -> None:
    typing = (
        (0.0, Asked(ask(1))),
        (1.0, Cancelled(1)),
        (1.3, Streamed(1, partial("foo"))),
        (1.3, cursor("fo")),
    )

    assert run(*typing, (1.5, Woke())) == []
    assert run(*typing, (1.3 + GRACE_S, Woke())) == [Close(1)]


def test_an_edit_that_disagrees_keeps_no_call_alive() -> None:
    typing = (0.0, Asked(ask(1))), (1.0, Streamed(1, partial("foo"))), (1.0, Cancelled(1)), (1.3, cursor("x"))

    assert run(*typing, (1.0 + GRACE_S, Woke())) == [Close(1)]


def test_where_calls_are_free_what_comes_next_is_asked_before_it_is_wanted() -> None:
    assert run((0, offer_prefetch())) == [Start(1, -9)]


def test_who_accepts_joins_the_call_that_was_made_ahead() -> None:
    whole = generation("(a)")
    events = (0.0, offer_prefetch()), (0.1, cursor("foo")), (0.1, Asked(ask(1, "foo", slots=1)))

    assert run(*events) == []
    assert run(*events, (9.0, Ended(1, whole))) == [Give(1, whole, "")]


def test_typing_along_what_is_shown_keeps_the_call_made_ahead() -> None:
    assert (
        run((0, offer_prefetch()), (1, cursor("f")), (2, offer_prefetch("oo", "f", number=8)), (9, Woke()))
        == []
    )


def test_typing_something_else_closes_the_call_made_ahead_at_once() -> None:
    assert run((0, offer_prefetch()), (1, cursor("x"))) == [Close(1)]


def test_a_request_never_waits_for_a_call_made_ahead() -> None:
    assert run((0, offer_prefetch()), (0.1, Asked(ask(1, uri="b", slots=1)))) == [Close(1), Start(2, 1)]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(Asked(ask(1, uri="b")), id="a call runs"),
        pytest.param(Asked(ask(1, uri="b", ready_at=9)), id="a request waits"),
    ],
)
def test_nothing_is_asked_ahead_while_somebody_waits(event: Event) -> None:
    assert run((0, event), (0.1, offer_prefetch())) == []


def test_what_a_call_under_way_will_tell_is_not_asked_ahead() -> None:
    assert run((0, Asked(ask(1))), (0.1, Streamed(1, generation("foo"))), (0.1, offer_prefetch())) == []


def test_a_call_made_ahead_ends_in_time() -> None:
    scheduler = Scheduler()
    scheduler.step(offer_prefetch(), 0)

    assert scheduler.step(Woke(), PREFETCH_S) == [Close(1)]


def test_where_calls_cost_they_are_made_ahead_once_enough_is_accepted() -> None:
    scheduler = Scheduler()
    started = []
    for _ in range(8):
        calls = starts(scheduler, offer_prefetch(is_free=False))
        starts(scheduler, *(Ended(call.call_id, generation("(a)")) for call in calls), cursor("foo"))
        started.append(bool(calls))

    assert started == [False] * 5 + [True] * 3


def test_asking_ahead_turns_itself_off_where_it_does_not_pay_and_tries_again_later() -> None:
    scheduler = Scheduler()
    started = [bool(starts(scheduler, offer_prefetch(), cursor("x"))) for _ in range(60)]

    assert started[:7] == [True] * 7
    assert sum(started[7:]) == 2


def starts(scheduler: Scheduler, *events: Event) -> list[Start]:
    """Return the calls that events start."""
    effects = [effect for event in events for effect in scheduler.step(event, 0.0)]
    return [effect for effect in effects if isinstance(effect, Start)]


class Interleavings(RuleBasedStateMachine):
    """A user, two documents, two providers' slots and a model that answers, stalls and fails."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler()
        self.now = 0.0
        self.asks: dict[int, Ask] = {}
        self.settled: dict[int, int] = {}
        self.open_calls: set[int] = set()
        self.wake: float | None = None

    def step(self, event: Event) -> None:
        for effect in step(self.scheduler, event, self.now):
            match effect:
                case Start(call_id, request_id):
                    if request_id > 0:
                        assert self.asks[request_id].ready_at <= self.now
                    else:
                        assert not self.open_calls
                        assert not self.scheduler.unsettled
                    assert call_id not in self.open_calls
                    self.open_calls.add(call_id)
                case Close(call_id):
                    self.open_calls.remove(call_id)
                case Give(request_id, whole, typed):
                    assert request_id > 0
                    mine = self.asks[request_id].cursor.line_prefix
                    assert whole.text.startswith(typed)
                    assert mine.endswith(typed)
                    self.settle(request_id)
                case Refuse(request_id) | Fail(request_id):
                    self.settle(request_id)
                case Wake(at):
                    assert at > self.now
                    self.wake = at

    def settle(self, request_id: int) -> None:
        self.settled[request_id] = self.settled.get(request_id, 0) + 1

    @rule(
        typed=st.text("ab", max_size=4),
        uri=st.sampled_from(["a", "b"]),
        face=st.sampled_from(["inline", "menu"]),
        wait=st.sampled_from([0.0, 0.1, 0.3]),
    )
    def type_and_ask(self, typed: str, uri: str, face: Face, wait: float) -> None:
        number = len(self.asks) + 1
        self.asks[number] = ask(number, typed, uri=uri, face=face, ready_at=self.now + wait)
        self.step(Asked(self.asks[number]))

    @rule(typed=st.text("ab", max_size=3), shown=st.text("ab", min_size=1, max_size=3), is_free=st.booleans())
    def look_ahead(self, typed: str, shown: str, is_free: bool) -> None:
        self.step(offer_prefetch(shown, typed, is_free=is_free))

    @rule(typed=st.text("ab", max_size=4), uri=st.sampled_from(["a", "b"]))
    def edit(self, typed: str, uri: str) -> None:
        self.step(cursor(typed, uri))

    @precondition(lambda self: self.scheduler.unsettled)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.scheduler.unsettled)))
        self.settle(number)
        self.step(Cancelled(number))

    @precondition(lambda self: self.open_calls)
    @rule(data=st.data(), text=st.text("ab", max_size=5), how=st.sampled_from(["stream", "end", "fail"]))
    def model(self, data: st.DataObject, text: str, how: str) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.open_calls)))
        if how == "stream":
            return self.step(Streamed(call_id, partial(text)))
        self.open_calls.remove(call_id)
        self.step(
            Ended(call_id, generation(text)) if how == "end" else Failed(call_id, OverloadedError("busy"))
        )

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.5]))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        while self.wake is not None and self.wake <= until:
            self.now, self.wake = max(self.now, self.wake), None
            self.step(Woke())
        self.now = until

    @rule(uri=st.sampled_from(["a", "b"]))
    def close_document(self, uri: str) -> None:
        self.step(Closed(uri))

    @invariant()
    def each_request_is_settled_once(self) -> None:
        assert all(times == 1 for times in self.settled.values())
        assert self.scheduler.unsettled == self.asks.keys() - self.settled.keys()

    @invariant()
    def no_more_calls_than_slots(self) -> None:
        assert len(self.open_calls) == self.scheduler.in_flight <= 2

    def teardown(self) -> None:
        self.step(Stopped())
        assert not self.open_calls
        assert self.settled.keys() == self.asks.keys()


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=150, stateful_step_count=30)
