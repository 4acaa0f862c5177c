"""What fails again and again is left alone; one real call finds out whether it is back."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llm_lsp.engine.models.circuit_breaker import (
    CAP_S,
    IN_A_ROW,
    LEAST,
    OFFLINE_IN_A_ROW,
    OPEN_S,
    RECENT,
    SPREAD,
    WINDOW_S,
    CircuitBreaker,
)

NOW = 1000.0


def breaker() -> CircuitBreaker:
    """One whose chance moves nothing."""
    return CircuitBreaker(lambda: 0.5)


def fail(it: CircuitBreaker, times: int, now: float = NOW, *, is_offline: bool = False) -> None:
    for _ in range(times):
        it.began(now)
        it.failed(now, is_offline=is_offline)


@pytest.mark.parametrize(("is_offline", "enough"), [(False, IN_A_ROW), (True, OFFLINE_IN_A_ROW)])
def test_failures_in_a_row_open_it(is_offline: bool, enough: int) -> None:
    it = breaker()
    fail(it, enough - 1, is_offline=is_offline)
    assert not it.is_open(NOW)
    fail(it, 1, is_offline=is_offline)
    assert it.is_open(NOW)
    assert it.is_open(NOW + OPEN_S - 0.01)
    assert not it.is_open(NOW + OPEN_S)


def test_a_half_of_the_last_calls_opens_it() -> None:
    it = breaker()
    for number in range(LEAST):
        assert not it.is_open(NOW)
        it.began(NOW)
        it.went_well(NOW) if number % 2 == 0 else it.failed(NOW, is_offline=False)
    assert it.is_open(NOW)


def test_failures_of_long_ago_do_not_count() -> None:
    it = breaker()
    for number in range(RECENT):
        now = NOW + number * WINDOW_S
        it.went_well(now) if number % 2 else it.failed(now, is_offline=False)
        assert not it.is_open(now)


def test_half_open_it_lets_one_call_through() -> None:
    it = breaker()
    fail(it, IN_A_ROW)
    later = NOW + OPEN_S
    it.began(later)
    assert it.is_open(later)
    it.went_well(later)
    assert not it.is_open(later)


def test_a_probe_that_was_closed_leaves_its_turn_to_the_next() -> None:
    it = breaker()
    fail(it, IN_A_ROW)
    it.began(NOW + OPEN_S)
    it.left()
    assert not it.is_open(NOW + OPEN_S)


def test_a_failed_probe_opens_it_for_twice_as_long_up_to_a_cap() -> None:
    it = breaker()
    fail(it, IN_A_ROW)
    lengths = []
    for _ in range(6):
        now = it.until
        fail(it, 1, now)
        lengths.append(it.until - now)
    assert lengths == [10, 20, 40, CAP_S, CAP_S, CAP_S]


def test_late_failures_of_calls_under_way_do_not_prolong_it() -> None:
    it = breaker()
    fail(it, IN_A_ROW)
    until = it.until
    it.failed(NOW + 1, is_offline=False)
    assert it.until == until


def test_after_a_success_it_begins_anew() -> None:
    it = breaker()
    fail(it, IN_A_ROW)
    fail(it, 1, it.until)
    later = it.until
    it.began(later)
    it.went_well(later)
    fail(it, IN_A_ROW, later + WINDOW_S)
    assert it.until == later + WINDOW_S + OPEN_S


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_chance_moves_its_end_a_little(chance: float) -> None:
    it = CircuitBreaker(lambda: chance)
    fail(it, IN_A_ROW)
    assert it.until - NOW == pytest.approx(OPEN_S * (1 + SPREAD * (2 * chance - 1)))


class AnyInterleaving(RuleBasedStateMachine):
    """Calls that begin, go well, fail and are closed in any order while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.it = CircuitBreaker(lambda: 1.0)
        self.under_way = 0
        self.last_failed_at = NOW

    @rule()
    def call(self) -> None:
        if not self.it.is_open(self.now):
            self.it.began(self.now)
            self.under_way += 1

    @rule(is_offline=st.booleans())
    def fail(self, is_offline: bool) -> None:
        if self.under_way:
            self.under_way -= 1
            self.last_failed_at = self.now
            self.it.failed(self.now, is_offline=is_offline)

    @rule()
    def succeed(self) -> None:
        if self.under_way:
            self.under_way -= 1
            self.it.went_well(self.now)
            assert not self.it.is_open(self.now)

    @rule()
    def close(self) -> None:
        if self.under_way:
            self.under_way -= 1
            self.it.left()

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def it_is_never_open_for_good(self) -> None:
        longest = self.last_failed_at + CAP_S * (1 + SPREAD)
        if self.now >= longest and self.it.is_open(self.now):
            assert self.under_way, "only a probe under way may keep it open"


TestAnyInterleaving = AnyInterleaving.TestCase
