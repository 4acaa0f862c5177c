"""Limits against what was spent."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from llm_lsp.core.usage.budget import BudgetLimits, SpentTotals, local_day, most_used

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
