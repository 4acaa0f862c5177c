"""The ledger: when rows are written, what becomes of them where they cannot be, and whether budgets hold."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from llm_lsp.config.settings import BudgetConfig
from llm_lsp.core.usage.budget import BudgetLimits
from llm_lsp.core.usage.request_trace import TraceRow
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.usage.ledger import LATER_S, MOST_PENDING, RETRY_S, SOON_S, Ledger, limits_of
from llm_lsp.errors import BudgetError
from tests.doubles import FakeClock
from tests.engine.books import ListStore, inline
from tests.engine.test_engine import RecordingClient
from tests.usage_store.rows import DAY_S, NOON, SUBJECT, a_call, a_trace


@dataclass
class Rig:
    store: ListStore = field(default_factory=ListStore)
    clock: FakeClock = field(default_factory=FakeClock)
    client: RecordingClient = field(default_factory=RecordingClient)
    utc: float = NOON

    def __post_init__(self) -> None:
        self.ledger = Ledger(
            self.store,
            Notifications(self.client, self.clock.now),
            ServerStatus(self.client, self.clock),
            self.clock,
            lambda: self.utc,
            inline,
        )
        self.limit(BudgetLimits())

    def limit(self, limits: BudgetLimits) -> None:
        self.ledger.configure(limits, save=True)

    async def spend(self, cost: float) -> None:
        """Make a call as the pipeline does."""
        number = len(self.store.calls) + 1
        await self.ledger.reserve(a_call(number, 2 * cost, at=self.utc, outcome="reserved"))
        self.ledger.settle(a_call(number, cost, at=self.utc))
        await self.clock.advance(SOON_S)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_calls_are_written_soon_and_together(rig: Rig) -> None:
    rig.ledger.settle(a_call(1))
    await rig.clock.advance(SOON_S / 2)
    rig.ledger.settle(a_call(2))
    await rig.clock.advance(SOON_S)

    assert [[call.number for call in batch.calls] for batch in rig.store.batches] == [[1, 2]]


async def test_counts_and_traces_wait_longer_and_go_with_a_call(rig: Rig) -> None:
    rig.ledger.count(SUBJECT, "keystrokes")
    rig.ledger.trace(TraceRow(NOON, None, a_trace()))
    await rig.clock.advance(SOON_S)
    waited = list(rig.store.batches)
    rig.ledger.settle(a_call(1))
    await rig.clock.advance(SOON_S)
    rig.ledger.count(SUBJECT, "keystrokes")
    await rig.clock.advance(LATER_S)

    assert waited == []
    assert [len(batch.traces) for batch in rig.store.batches] == [1, 0]
    assert rig.store.counted() == {"keystrokes": 2}


async def test_closing_writes_the_rest(rig: Rig) -> None:
    rig.ledger.settle(a_call(1))
    await rig.ledger.aclose()

    assert (len(rig.store.calls), rig.store.n_closed) == (1, 1)


async def test_what_cannot_be_written_is_said_once_and_written_later(rig: Rig) -> None:
    rig.store.failure = "the disk is full"
    for number in (1, 2):
        rig.ledger.settle(a_call(number))
        await rig.clock.advance(RETRY_S / 3)
    rig.store.failure = ""
    await rig.clock.advance(RETRY_S)

    assert rig.client.shown == ["usage is not saved: the disk is full"]
    assert [call.number for call in rig.store.calls] == [1, 2]
    assert rig.store.n_failed == 1


async def test_rows_that_nobody_can_write_do_not_hold_up_the_next(rig: Rig) -> None:
    rig.store.fault = ValueError("private")
    rig.limit(BudgetLimits(per_day=1.0))
    await rig.spend(0.1)
    rig.store.fault = None
    await rig.spend(0.2)
    await rig.clock.advance(RETRY_S)
    await rig.ledger.aclose()

    [said] = rig.client.shown
    assert said.startswith("usage is not saved: internal error: ValueError in ")
    assert "private" not in said
    assert [call.cost for call in rig.store.calls] == [0.2]


async def test_a_store_that_is_broken_leaves_the_budget_to_this_process(rig: Rig) -> None:
    rig.store.fault = ImportError()
    rig.limit(BudgetLimits(per_day=1.0))
    await rig.spend(0.6)
    await rig.spend(0.6)

    with pytest.raises(BudgetError):
        await rig.spend(0.1)
    await rig.ledger.aclose()


async def test_what_waits_for_a_disk_is_bounded(rig: Rig) -> None:
    rig.store.failure = "read-only"
    for number in range(MOST_PENDING + 5):
        rig.ledger.settle(a_call(number))
    await rig.clock.advance(SOON_S)
    rig.store.failure = ""
    await rig.clock.advance(RETRY_S)

    assert (len(rig.store.calls), rig.store.calls[0].number) == (MOST_PENDING, 5)


async def test_switched_off_they_are_in_no_file(rig: Rig) -> None:
    rig.ledger.configure(BudgetLimits(), save=False)
    rig.ledger.settle(a_call(1))
    await rig.clock.advance(SOON_S)

    assert rig.store.batches == []
    assert rig.ledger.spent.tokens_today == 110


async def test_a_budget_keeps_books_in_any_case(rig: Rig) -> None:
    rig.ledger.configure(BudgetLimits(per_day=5.0), save=False)
    await rig.spend(1.0)

    assert len(rig.store.calls) == 1


async def test_a_budget_warns_once_and_then_refuses(rig: Rig) -> None:
    rig.limit(BudgetLimits(per_day=1.0))
    await rig.spend(0.5)
    await rig.spend(0.4)
    await rig.spend(0.2)
    with pytest.raises(BudgetError, match=r"1\.10 of today's 1\.00 USD are spent"):
        await rig.spend(0.1)

    assert rig.client.shown == [
        "0.90 of today's 1.00 USD are spent",
        "1.10 of today's 1.00 USD are spent; calls that cost something are not made any more",
    ]
    assert rig.ledger.used_up() is not None


async def test_what_is_reserved_counts_until_it_is_settled(rig: Rig) -> None:
    rig.limit(BudgetLimits(per_day=1.0))
    await rig.ledger.reserve(a_call(1, 1.5, outcome="reserved"))
    with pytest.raises(BudgetError):
        await rig.ledger.reserve(a_call(2, 0.1, outcome="reserved"))
    rig.ledger.settle(a_call(1, 0.1))
    await rig.clock.advance(SOON_S)

    await rig.ledger.reserve(a_call(2, 0.1, outcome="reserved"))


async def test_the_status_has_what_was_spent_today(rig: Rig) -> None:
    await rig.spend(0.123)

    assert rig.client.status_now.spent_today == "0.12 USD"


async def test_a_new_day_has_its_own_budget(rig: Rig) -> None:
    rig.limit(BudgetLimits(per_day=1.0))
    await rig.spend(1.0)
    rig.utc += DAY_S

    assert rig.ledger.used_up() is None
    await rig.spend(0.5)


async def test_a_free_call_needs_no_budget(rig: Rig) -> None:
    rig.limit(BudgetLimits(tokens_per_day=0))

    await rig.ledger.reserve(a_call(1, 0.0, free=True))


async def test_without_its_file_a_budget_holds_in_this_process(rig: Rig) -> None:
    rig.limit(BudgetLimits(per_day=1.0))
    rig.store.failure = "read-only"
    await rig.ledger.reserve(a_call(1, 1.0, outcome="reserved"))
    rig.ledger.settle(a_call(1, 1.0))

    with pytest.raises(BudgetError):
        await rig.ledger.reserve(a_call(2, 1.0, outcome="reserved"))


async def test_without_its_file_a_used_up_budget_is_said(rig: Rig) -> None:
    rig.store.failure = "the disk is full"
    rig.limit(BudgetLimits(tokens_per_day=200))
    for number in (1, 2):
        rig.ledger.settle(a_call(number))
        await rig.clock.advance(SOON_S)

    assert rig.client.shown[-1].startswith("220 of today's 200 tokens are spent; calls")


async def test_a_file_that_is_back_is_told_what_was_spent_without_it(rig: Rig) -> None:
    rig.limit(BudgetLimits(per_day=1.0))
    rig.store.failure = "the disk is full"
    await rig.ledger.reserve(a_call(1, 1.0, outcome="reserved"))
    rig.ledger.settle(a_call(1, 1.0))
    await rig.clock.advance(SOON_S)
    rig.store.failure = ""

    with pytest.raises(BudgetError):
        await rig.ledger.reserve(a_call(2, 1.0, outcome="reserved"))


async def test_tokens_have_budgets_as_well(rig: Rig) -> None:
    rig.limit(BudgetLimits(tokens_per_month=200))
    await rig.spend(0.0)
    await rig.spend(0.0)

    with pytest.raises(BudgetError, match="220 of this month's 200 tokens are spent"):
        await rig.spend(0.0)


@pytest.mark.parametrize(
    ("cost", "currency", "words"),
    [
        pytest.param(None, "USD", "no price is known for codestral-latest", id="no price"),
        pytest.param(1.0, "EUR", "the price of codestral-latest is in USD", id="no rate"),
    ],
)
async def test_what_no_budget_can_hold_is_said(
    rig: Rig, cost: float | None, currency: str, words: str
) -> None:
    rig.limit(BudgetLimits(currency, per_day=1.0))
    for number in (1, 2):
        await rig.ledger.reserve(a_call(number, cost))

    assert [text.startswith(words) for text in rig.client.shown] == [True]


async def test_rows_during_a_writing_are_written_after_it(rig: Rig) -> None:
    go_on = asyncio.Event()

    async def slow(function: object, *arguments: object) -> object:
        await go_on.wait()
        return await inline(function, *arguments)  # type: ignore[arg-type]  # it is the store's method

    rig.ledger = Ledger(
        rig.store,
        Notifications(rig.client, rig.clock.now),
        ServerStatus(rig.client, rig.clock),
        rig.clock,
        lambda: NOON,
        slow,
    )
    rig.limit(BudgetLimits())
    rig.ledger.settle(a_call(1))
    await rig.clock.advance(SOON_S)
    rig.ledger.settle(a_call(2))
    go_on.set()
    await rig.clock.advance(SOON_S)

    assert [[call.number for call in batch.calls] for batch in rig.store.batches] == [[1], [2]]


def test_a_budget_of_the_settings_is_read() -> None:
    limits = limits_of(BudgetConfig("CNY", 5.0, tokens_per_month=1000, exchange={"USD": 7.1}))

    assert limits == BudgetLimits("CNY", 5.0, None, None, 1000, 0.8, {"USD": 7.1})
