"""A budget holds whatever becomes of the file that says what was spent, and no call waits for that file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from llm_lsp.config.settings import BudgetConfig
from llm_lsp.core.usage.budget import BudgetLimits
from llm_lsp.core.usage.records import CallRecord
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Found
from llm_lsp.engine.usage.budget_guard import (
    FIRST_WAIT_S,
    MOST_PENDING,
    UNKNOWN,
    WAIT_S,
    BudgetGuard,
    limits_of,
)
from llm_lsp.errors import BudgetError
from tests.doubles import FakeClock, settle
from tests.engine.rig import RecordingClient
from tests.engine.usage.list_store import ListStore
from tests.usage_store.rows import DAY_S, NOON, a_call


@dataclass
class Rig:
    """A guard whose file answers at once, or as soon as it is free."""

    store: ListStore = field(default_factory=ListStore)
    clock: FakeClock = field(default_factory=FakeClock)
    client: RecordingClient = field(default_factory=RecordingClient)
    utc: float = NOON
    free: asyncio.Event = field(default_factory=asyncio.Event)
    n_calls: int = 0
    knows: bool = False

    def __post_init__(self) -> None:
        self.free.set()
        self.guard = BudgetGuard(
            Notifications(self.client, self.clock.now),
            ServerStatus(self.client, self.clock),
            self.clock,
            lambda: self.utc,
            self.in_thread,
        )

    async def in_thread(self, work: Callable[[], Found]) -> Found:
        await self.free.wait()
        return work()

    def limit(self, limits: BudgetLimits | None = None) -> None:
        self.guard.configure(limits or BudgetLimits(per_day=1.0), self.store)

    async def learn(self) -> None:
        """Let the store be asked what was spent."""
        await self.clock.advance(0)
        await settle()
        self.knows = True

    async def begin(self, most: float = 1.0) -> CallRecord:
        self.n_calls += 1
        call = a_call(self.n_calls, most, at=self.utc, outcome="reserved")
        reserving = asyncio.create_task(self.guard.reserve(call))
        await settle()
        await self.clock.advance(WAIT_S if self.knows else FIRST_WAIT_S)
        await reserving
        return call

    async def spend(self, cost: float, most: float = 1.0) -> None:
        call = await self.begin(most)
        self.guard.settle(a_call(call.number, cost, at=self.utc))
        await self.guard.flush()

    def others_spend(self, cost: float) -> None:
        self.store.settle(self.utc, [a_call(1000 + self.n_calls, cost, at=self.utc)])


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_budget_warns_once_and_then_refuses(rig: Rig) -> None:
    rig.limit()
    for cost in (0.5, 0.4, 0.2):
        await rig.spend(cost)
    with pytest.raises(BudgetError, match=r"1\.10 of today's 1\.00 USD are spent"):
        await rig.begin()

    assert rig.client.shown == [
        "0.90 of today's 1.00 USD are spent",
        "1.10 of today's 1.00 USD are spent; no more calls that cost something are made",
    ]
    assert rig.guard.used_up() is not None


async def test_what_is_reserved_counts_until_it_is_settled(rig: Rig) -> None:
    rig.limit()
    call = await rig.begin(1.5)
    with pytest.raises(BudgetError):
        await rig.begin(0.1)
    rig.guard.settle(a_call(call.number, 0.1))

    await rig.begin(0.1)


async def test_a_new_day_has_its_own_budget(rig: Rig) -> None:
    rig.limit()
    await rig.spend(1.0)
    rig.utc += DAY_S

    assert rig.guard.used_up() is None
    await rig.spend(0.5)


async def test_a_free_call_needs_no_budget(rig: Rig) -> None:
    rig.limit(BudgetLimits(tokens_per_day=0))

    await rig.guard.reserve(a_call(1, 0.0, free=True))


async def test_tokens_have_budgets_as_well(rig: Rig) -> None:
    rig.limit(BudgetLimits(tokens_per_month=200))
    await rig.spend(0.0)
    await rig.spend(0.0)

    with pytest.raises(BudgetError, match="220 of this month's 200 tokens are spent"):
        await rig.spend(0.0)


@pytest.mark.parametrize(
    ("cost", "currency", "words"),
    [
        pytest.param(None, "USD", "the price of codestral-latest", id="no price"),
        pytest.param(1.0, "EUR", "the price of codestral-latest is in USD", id="no rate"),
    ],
)
async def test_what_no_budget_can_hold_is_said(
    rig: Rig, cost: float | None, currency: str, words: str
) -> None:
    rig.limit(BudgetLimits(currency, per_day=1.0))
    for number in (1, 2):
        await rig.guard.reserve(a_call(number, cost))

    assert [text.startswith(words) for text in rig.client.shown] == [True]


def _fails(rig: Rig) -> None:
    rig.store.budget_failure = "it cannot be read"


def _is_slow(rig: Rig) -> None:
    rig.free.clear()


TROUBLES = [pytest.param(_fails, id="it fails"), pytest.param(_is_slow, id="it does not answer")]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_this_process_knows_and_spends_decides(rig: Rig, trouble: Callable[[Rig], None]) -> None:
    rig.limit()
    rig.others_spend(0.3)
    await rig.learn()
    trouble(rig)

    call = await rig.begin(0.5)
    rig.guard.settle(a_call(call.number, 0.4))
    await rig.begin(0.4)
    with pytest.raises(BudgetError, match=r"1\.10 of today's 1\.00 USD are spent"):
        await rig.begin(0.1)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_while_nothing_is_known_no_call_is_made(rig: Rig, trouble: Callable[[Rig], None]) -> None:
    trouble(rig)
    rig.limit()
    for _ in range(3):
        with pytest.raises(BudgetError, match=UNKNOWN):
            await rig.begin()

    (said,) = rig.client.shown
    assert said.startswith(f"{UNKNOWN}: ")


async def test_as_soon_as_it_is_known_calls_are_made(rig: Rig) -> None:
    _is_slow(rig)
    rig.limit()
    with pytest.raises(BudgetError):
        await rig.begin()
    rig.free.set()
    await settle()

    await rig.begin()


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_was_spent_meanwhile_is_told_to_the_others(
    rig: Rig, trouble: Callable[[Rig], None]
) -> None:
    rig.limit()
    await rig.learn()
    trouble(rig)
    call = await rig.begin(0.5)
    rig.guard.settle(a_call(call.number, 0.4))
    rig.store.budget_failure = ""
    rig.free.set()
    await settle()
    assert await rig.guard.flush()

    assert rig.store.settle(NOON, ()).spent.money_today == pytest.approx({"USD": 0.4})


async def test_a_call_that_was_refused_before_its_late_answer_costs_nothing(rig: Rig) -> None:
    _is_slow(rig)
    rig.limit()
    with pytest.raises(BudgetError):
        await rig.begin(0.5)
    rig.free.set()
    await settle()
    assert rig.store.sums.settle(NOON, ()).spent.money_today == {"USD": 0.5}
    await rig.guard.flush()

    assert rig.store.sums.settle(NOON, ()).spent.money_today == pytest.approx({"USD": 0.0})


async def test_a_call_that_is_given_up_while_it_waits_is_settled(rig: Rig) -> None:
    rig.limit()
    await rig.learn()
    _is_slow(rig)
    reserving = asyncio.create_task(rig.guard.reserve(a_call(1, 0.5, outcome="reserved")))
    await settle()
    reserving.cancel()
    await asyncio.gather(reserving, return_exceptions=True)
    rig.guard.settle(a_call(1, 0.0, tokens=(0, 0), outcome="closed"))
    rig.free.set()
    await rig.guard.flush()

    assert rig.store.settle(NOON, ()).spent.money_today == pytest.approx({"USD": 0.0})


async def test_a_file_that_is_back_is_told_what_was_spent_without_it(rig: Rig) -> None:
    rig.limit()
    await rig.learn()
    _fails(rig)
    await rig.spend(1.0)
    rig.store.budget_failure = ""

    with pytest.raises(BudgetError):
        await rig.begin()


async def test_without_its_file_a_used_up_budget_is_said(rig: Rig) -> None:
    rig.limit(BudgetLimits(tokens_per_day=200))
    await rig.learn()
    _fails(rig)
    for _ in range(2):
        await rig.spend(0.0)

    assert rig.client.shown[-1].startswith("220 of today's 200 tokens are spent; no more calls")


@pytest.mark.parametrize("days", [1, 3, 400])
async def test_a_clock_that_is_set_back_opens_no_spent_day(rig: Rig, days: int) -> None:
    rig.limit()
    await rig.spend(1.0)
    rig.utc -= days * DAY_S

    assert rig.guard.used_up() is not None
    with pytest.raises(BudgetError):
        await rig.begin()


async def test_a_clock_that_was_wrong_by_years_holds_no_budget_for_years(rig: Rig) -> None:
    rig.limit()
    rig.utc += 3000 * DAY_S
    await rig.spend(1.0)
    rig.utc = NOON
    with pytest.raises(BudgetError):
        await rig.begin()
    rig.utc += DAY_S

    assert rig.guard.used_up() is None
    await rig.spend(0.5)


async def test_what_cannot_be_recorded_is_bounded_and_counts(rig: Rig) -> None:
    rig.limit(BudgetLimits(tokens_per_day=10**9))
    await rig.learn()
    for number in range(MOST_PENDING + 5):
        rig.guard.settle(a_call(number, 0.0))

    assert rig.guard.spent.tokens_today == 110 * (MOST_PENDING + 5)
    assert len(rig.guard._pending) == MOST_PENDING


async def test_a_fault_of_our_own_is_no_leave_to_spend(rig: Rig) -> None:
    rig.store.reserve = partial(_raise, ValueError("private"))  # type: ignore[method-assign, assignment] # a broken one
    rig.limit()
    with pytest.raises(BudgetError):
        await rig.begin()

    (said,) = rig.client.shown
    assert "private" not in said


def _raise(error: Exception, *_: object) -> None:
    raise error


def test_a_budget_of_the_settings_is_read() -> None:
    limits = limits_of(BudgetConfig("CNY", 5.0, tokens_per_month=1000, exchange={"USD": 7.1}))

    assert limits == BudgetLimits("CNY", 5.0, None, None, 1000, 0.8, {"USD": 7.1})
