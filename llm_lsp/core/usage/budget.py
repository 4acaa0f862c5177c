"""Whether a budget is used up: limits against what was spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from llm_lsp.core.usage.records import CallRecord


def local_day(at: float) -> str:
    """Return the day of a time in seconds since 1970, by this machine's time zone, as "2026-11-22"."""
    return datetime.fromtimestamp(at).astimezone().date().isoformat()


@dataclass(frozen=True, slots=True)
class SpentTotals:
    """What was spent in a day and in its month, money by currency."""

    day: str = ""
    """As "2026-11-22"."""
    money_today: Mapping[str, float] = field(default_factory=dict)
    money_this_month: Mapping[str, float] = field(default_factory=dict)
    tokens_today: int = 0
    tokens_this_month: int = 0

    def on(self, day: str) -> SpentTotals:
        """Return what is spent on a day: nothing on a later one; an earlier one does not open again."""
        if day <= self.day:
            return self
        if day[:7] != self.day[:7]:
            return SpentTotals(day)
        return replace(self, day=day, money_today={}, tokens_today=0)

    def plus(self, calls: Iterable[CallRecord]) -> SpentTotals:
        """Add calls of this very day."""
        today, month = dict(self.money_today), dict(self.money_this_month)
        tokens = 0
        for call in calls:
            if call.free:
                continue
            tokens += call.tokens
            for money in (today, month):
                money[call.currency] = money.get(call.currency, 0.0) + (call.cost or 0.0)
        return SpentTotals(
            self.day, today, month, self.tokens_today + tokens, self.tokens_this_month + tokens
        )


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """What may be spent; None is no limit."""

    currency: str = "USD"
    per_day: float | None = None
    per_month: float | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    warn_at: float = 0.8
    exchange: Mapping[str, float] = field(default_factory=dict)
    """What one unit of another currency is worth in `currency`."""

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
        """Return money by currency with all that has a rate added up in the budget's currency, which comes first."""
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
    """1 and more: all of it."""
    period: str
    """What the limit is for, as "2026-11-22" or "2026-11"."""
    words: str
    """As "4.10 of today's 5.00 USD"."""


def most_used(limits: BudgetLimits, spent: SpentTotals) -> BudgetUse | None:
    """Return the limit of which the greatest share is used; None if there is none."""
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
    # A limit of nothing is used up from the start.
    return used / limit if limit else 1.0
