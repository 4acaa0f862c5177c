"""Compares the amounts spent with the limits of a budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from llm_lsp.core.usage.records import CallRecord


def local_day(at: float) -> str:
    """Return the day of a time in seconds since 1970, in this machine's time zone, as "2026-11-22"."""
    return datetime.fromtimestamp(at).astimezone().date().isoformat()


# Days by which the clock may be behind the newest recorded day and still count as temporarily wrong.
MOST_AHEAD_DAYS = 2


@dataclass(frozen=True, slots=True)
class SpentTotals:
    """The amounts spent on a day and in its month, costs by currency."""

    day: str = ""
    """For example "2026-11-22"."""
    money_today: Mapping[str, float] = field(default_factory=dict)
    money_this_month: Mapping[str, float] = field(default_factory=dict)
    tokens_today: int = 0
    tokens_this_month: int = 0
    held_on: str = ""
    """The day that the clock showed when it was first found to be behind `day`; "" if it is not behind."""

    def on(self, day: str) -> SpentTotals:
        """Return the amounts spent as of a day by the clock: nothing yet on a later day.

        Setting the clock back does not reset the amounts: they remain while the clock shows the day on which
        this was noticed, or is behind by up to MOST_AHEAD_DAYS. Not longer, so that a clock that was once wrong
        by years does not block a budget for years.
        """
        if day == self.day:
            return replace(self, held_on="") if self.held_on else self
        if day < self.day and self._goes_on(day):
            return replace(self, held_on=min(day, self.held_on or day))
        if day[:7] != self.day[:7]:
            return SpentTotals(day)
        return replace(self, day=day, money_today={}, tokens_today=0, held_on="")

    def _goes_on(self, day: str) -> bool:
        behind = date.fromisoformat(self.day) - date.fromisoformat(day)
        return not self.held_on or day <= self.held_on or behind.days <= MOST_AHEAD_DAYS

    def plus(self, calls: Iterable[CallRecord]) -> SpentTotals:
        """Add calls of the same day."""
        result = self
        for call in calls:
            result = result.with_call(call, None)
        return result

    def with_call(self, call: CallRecord, old: CountedCall | None) -> SpentTotals:
        """Count a call, replacing what was counted for it before, on that day."""
        if old is None:
            return self._changed(call, 1, self.day)
        return self._changed(old.call, -1, old.day)._changed(call, 1, old.day)

    def _changed(self, call: CallRecord, times: int, day: str) -> SpentTotals:
        if call.free or day[:7] != self.day[:7]:
            return self
        cost, tokens = times * (call.cost or 0.0), times * call.tokens
        month = _added(self.money_this_month, call.currency, cost)
        changed = replace(self, money_this_month=month, tokens_this_month=self.tokens_this_month + tokens)
        if day != self.day:
            return changed
        today = _added(self.money_today, call.currency, cost)
        return replace(changed, money_today=today, tokens_today=self.tokens_today + tokens)

    def at_least(self, other: SpentTotals) -> SpentTotals:
        """Return these amounts, raised to another record of the same day."""
        assert other.day == self.day
        return replace(
            self,
            money_today=_highest(self.money_today, other.money_today),
            money_this_month=_highest(self.money_this_month, other.money_this_month),
            tokens_today=max(self.tokens_today, other.tokens_today),
            tokens_this_month=max(self.tokens_this_month, other.tokens_this_month),
        )


@dataclass(frozen=True, slots=True)
class CountedCall:
    """What the amounts include for a call, and on which day."""

    call: CallRecord
    day: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """The answer to whether a call may be made."""

    is_allowed: bool
    spent: SpentTotals
    """By all processes, including what is recorded for this one."""
    is_recorded: bool = True
    """Whether the amounts were recorded; if not, `spent` does not include them."""


def _added(money: Mapping[str, float], currency: str, amount: float) -> Mapping[str, float]:
    return {**money, currency: money.get(currency, 0.0) + amount}


def _highest(one: Mapping[str, float], other: Mapping[str, float]) -> Mapping[str, float]:
    return {name: max(one.get(name, 0.0), other.get(name, 0.0)) for name in {**one, **other}}


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """The limits of a budget; None is no limit."""

    currency: str = "USD"
    per_day: float | None = None
    per_month: float | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    warn_at: float = 0.8
    exchange: Mapping[str, float] = field(default_factory=dict)
    """Value of one unit of other currencies in `currency`."""

    @property
    def has_money(self) -> bool:
        return self.per_day is not None or self.per_month is not None

    @property
    def is_set(self) -> bool:
        return self.has_money or self.tokens_per_day is not None or self.tokens_per_month is not None

    def worth(self, amount: float, currency: str) -> float | None:
        """Return an amount in the budget's currency; None if no rate is known."""
        rate = 1.0 if currency == self.currency else self.exchange.get(currency)
        return None if rate is None else amount * rate

    def total(self, money: Mapping[str, float]) -> dict[str, float]:
        """Return costs by currency; those with a rate are converted to the budget's currency, which comes first."""
        totals: dict[str, float] = {}
        for currency, amount in money.items():
            worth = self.worth(amount, currency)
            kept, value = (currency, amount) if worth is None else (self.currency, worth)
            totals[kept] = totals.get(kept, 0.0) + value
        return dict(sorted(totals.items(), key=lambda item: item[0] != self.currency))


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """How much of one limit is used."""

    share: float
    """1 or more means used up."""
    period: str
    """The period of the limit, such as "2026-11-22" or "2026-11"."""
    words: str
    """For example "4.10 of today's 5.00 USD"."""


def most_used(limits: BudgetLimits, spent: SpentTotals) -> BudgetUse | None:
    """Return the limit with the largest share used; None if there is none."""
    return max(_uses(limits, spent), key=lambda use: use.share, default=None)


def _uses(limits: BudgetLimits, spent: SpentTotals) -> Iterator[BudgetUse]:
    month = spent.day[:7]
    if limits.per_day is not None:
        yield _money(limits, spent.money_today, limits.per_day, "today's", spent.day)
    if limits.per_month is not None:
        yield _money(limits, spent.money_this_month, limits.per_month, "this month's", month)
    if limits.tokens_per_day is not None:
        yield _tokens(spent.tokens_today, limits.tokens_per_day, "today's", spent.day)
    if limits.tokens_per_month is not None:
        yield _tokens(spent.tokens_this_month, limits.tokens_per_month, "this month's", month)


def _money(
    limits: BudgetLimits, money: Mapping[str, float], limit: float, whose: str, period: str
) -> BudgetUse:
    used = sum(limits.worth(amount, currency) or 0.0 for currency, amount in money.items())
    return BudgetUse(_share(used, limit), period, f"{used:.2f} of {whose} {limit:.2f} {limits.currency}")


def _tokens(used: int, limit: int, whose: str, period: str) -> BudgetUse:
    return BudgetUse(_share(used, limit), period, f"{used:,} of {whose} {limit:,} tokens")


def _share(used: float, limit: float) -> float:
    # A limit of 0 is used up from the start.
    return used / limit if limit else 1.0
