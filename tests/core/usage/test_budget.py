"""Limits against what was spent."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from llm_lsp.core.usage.budget import BudgetLimits, CountedCall, SpentTotals, local_day, most_used
from tests.usage_store.rows import a_call

SPENT = SpentTotals("2026-11-22", {"USD": 4.0}, {"USD": 10.0, "CNY": 71.0}, 1000, 50_000)


@pytest.mark.parametrize(
    ("limits", "share", "words"),
    [
        pytest.param(BudgetLimits(per_day=5.0), 0.8, "4.00 of today's 5.00 USD", id="a day"),
        pytest.param(
            BudgetLimits(per_month=10.0), 1.0, "10.00 of this month's 10.00 USD", id="a month, one currency"
        ),
        pytest.param(
            BudgetLimits("CNY", per_month=284.0, exchange={"USD": 7.1}),
            0.5,
            "142.00 of this month's 284.00 CNY",
            id="two",
        ),
        pytest.param(BudgetLimits(tokens_per_day=500), 2.0, "1,000 of today's 500 tokens", id="tokens"),
        pytest.param(
            BudgetLimits(per_day=40.0, tokens_per_month=100_000),
            0.5,
            "50,000 of this month's 100,000 tokens",
            id="the worst",
        ),
        pytest.param(BudgetLimits(per_day=0.0), 1.0, "4.00 of today's 0.00 USD", id="nothing may be spent"),
    ],
)
def test_the_most_used_limit_counts(limits: BudgetLimits, share: float, words: str) -> None:
    use = most_used(limits, SPENT)

    assert use is not None
    assert use.share == pytest.approx(share)
    assert use.words == words


def test_without_limits_nothing_is_used_up() -> None:
    assert most_used(BudgetLimits(), SPENT) is None
    assert not BudgetLimits().is_set


def test_a_rate_that_is_not_known_has_no_worth() -> None:
    assert BudgetLimits("EUR").worth(1.0, "USD") is None


@pytest.mark.parametrize(
    ("day", "today", "this_month"),
    [
        pytest.param("2026-11-22", 4.0, 10.0, id="the same day"),
        pytest.param("2026-11-21", 4.0, 10.0, id="an earlier one never comes again"),
        pytest.param("2026-11-23", 0.0, 10.0, id="the next day"),
        pytest.param("2026-12-01", 0.0, 0.0, id="the next month"),
    ],
)
def test_a_new_day_begins_with_nothing_spent(day: str, today: float, this_month: float) -> None:
    spent = SPENT.on(day)

    assert (spent.money_today.get("USD", 0.0), spent.money_this_month.get("USD", 0.0)) == (today, this_month)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("UTC0", "2026-11-22", id="UTC"),
        pytest.param("CST-8", "2026-11-23", id="east of UTC the day begins earlier"),
        pytest.param("PST8", "2026-11-22", id="west of UTC"),
    ],
)
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone of a process is fixed here")
def test_a_day_is_one_of_the_local_time_zone(zone: str, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    at = datetime(2026, 11, 22, 16, 30, tzinfo=UTC).timestamp()
    found = local_day(at)
    monkeypatch.undo()
    time.tzset()

    assert found == day


@pytest.mark.parametrize(
    ("limits", "total"),
    [
        pytest.param(BudgetLimits("CNY", exchange={"USD": 7.0}), {"CNY": 141.0}, id="one sum"),
        pytest.param(
            BudgetLimits("CNY"), {"CNY": 71.0, "USD": 10.0}, id="without a rate an amount stays as it is"
        ),
        pytest.param(BudgetLimits("EUR", exchange={"USD": 0.9}), {"EUR": 9.0, "CNY": 71.0}, id="a third"),
    ],
)
def test_money_is_added_up_in_the_budgets_currency(limits: BudgetLimits, total: dict[str, float]) -> None:
    found = limits.total(SPENT.money_this_month)

    assert found == pytest.approx(total)
    assert list(found) == list(total)


CLOCKS = [
    pytest.param(["2026-11-19"], 4.0, id="three days back"),
    pytest.param(["2025-11-22"], 4.0, id="a year back"),
    pytest.param(["2000-01-01"], 4.0, id="a battery that is empty"),
    pytest.param(["2026-11-19", "2026-11-22"], 4.0, id="back and forth"),
    pytest.param(["2000-01-01", "2026-11-22"], 4.0, id="far back and forth"),
    pytest.param(["2000-01-01", "1999-12-31"], 4.0, id="back and further back"),
    pytest.param(["2026-11-20", "2026-11-21", "2026-11-22"], 4.0, id="two days back, day by day"),
    pytest.param(["2026-11-19", "2026-11-20"], 4.0, id="three days back, and on to two"),
    pytest.param(["2026-11-23"], 0.0, id="the next day"),
    pytest.param(["2000-01-01", "2000-01-02"], 0.0, id="the day after it was found: it was wrong before"),
    pytest.param(["2026-11-18", "2026-11-19"], 0.0, id="four days back, and a day on"),
]


@pytest.mark.parametrize(("days", "today"), CLOCKS)
def test_a_clock_that_is_set_back_opens_no_spent_day(days: list[str], today: float) -> None:
    spent = SPENT
    for day in days:
        spent = spent.on(day)

    assert spent.money_today.get("USD", 0.0) == today


def test_within_its_month_a_clock_that_is_set_back_forgets_nothing_of_the_month() -> None:
    spent = SPENT.on("2026-11-02").on("2026-11-03")

    assert (spent.day, spent.money_this_month) == ("2026-11-03", SPENT.money_this_month)


def test_what_was_reserved_is_replaced_by_what_was_used() -> None:
    reserved, used = a_call(1, 2.0, tokens=(100, 500)), a_call(1, 0.5, tokens=(100, 10))
    spent = SPENT.with_call(reserved, None)

    settled = spent.with_call(used, CountedCall(reserved, SPENT.day))

    assert settled == SPENT.plus([used])
    assert settled.money_today == {"USD": 4.5}


@pytest.mark.parametrize(
    ("day", "today", "this_month"),
    [
        pytest.param("2026-11-23", {}, 10.5, id="the next day"),
        pytest.param("2026-12-01", {}, 0.0, id="the next month"),
    ],
)
def test_a_call_counts_on_the_day_it_was_reserved(
    day: str, today: dict[str, float], this_month: float
) -> None:
    reserved, used = a_call(1, 2.0), a_call(1, 0.5)
    spent = SPENT.with_call(reserved, None).on(day)

    settled = spent.with_call(used, CountedCall(reserved, SPENT.day))

    assert settled.money_today == today
    assert settled.money_this_month.get("USD", 0.0) == this_month


def test_free_calls_count_nowhere() -> None:
    assert SPENT.plus([a_call(1, 3.0, free=True)]) == SPENT


def test_of_two_records_the_higher_counts() -> None:
    other = SpentTotals("2026-11-22", {"USD": 1.0, "CNY": 7.0}, {"USD": 12.0}, 2000, 10)

    assert SPENT.at_least(other) == SpentTotals(
        "2026-11-22", {"USD": 4.0, "CNY": 7.0}, {"USD": 12.0, "CNY": 71.0}, 2000, 50_000
    )
