"""The ledger: when rows are written, what becomes of them where they cannot be, and whether budgets hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from llm_lsp.core.usage.budget import BudgetLimits
from llm_lsp.core.usage.request_trace import TraceRow
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Found
from llm_lsp.engine.usage.ledger import LATER_S, MOST_PENDING, RETRY_S, SOON_S, Ledger
from tests.doubles import FakeClock
from tests.engine.rig import RecordingClient
from tests.engine.usage.list_store import ListStore, inline, writes
from tests.usage_store.rows import NOON, SUBJECT, a_call, a_trace


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


async def test_what_waits_for_a_disk_is_bounded(rig: Rig) -> None:
    rig.store.failure = "read-only"
    for number in range(MOST_PENDING + 5):
        rig.ledger.settle(a_call(number))
    await rig.clock.advance(SOON_S)
    rig.store.failure = ""
    await rig.clock.advance(RETRY_S)

    assert (len(rig.store.calls), rig.store.calls[0].number) == (MOST_PENDING, 5)


async def test_a_call_that_is_not_over_stands_there_with_the_most_it_can_cost(rig: Rig) -> None:
    rig.limit(BudgetLimits(per_day=5.0))
    await rig.ledger.reserve(a_call(1, 2.0, outcome="reserved"))
    await rig.clock.advance(SOON_S)
    rig.ledger.settle(a_call(1, 0.5))
    await rig.clock.advance(SOON_S)

    assert [(call.outcome, call.cost) for call in rig.store.calls] == [("reserved", 2.0), ("complete", 0.5)]


async def test_what_was_spent_is_told_also_while_no_rows_can_be_written(rig: Rig) -> None:
    rig.store.failure = "the disk is full"
    for number in (1, 2):
        rig.ledger.settle(a_call(number, 0.5))
        await rig.clock.advance(2 * SOON_S)

    assert rig.store.settle(NOON, ()).spent.money_today == {"USD": 1.0}


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


async def test_the_status_has_what_was_spent_today(rig: Rig) -> None:
    await rig.spend(0.123)

    assert rig.client.status_now.spent_today == "0.12 USD"


async def test_rows_during_a_writing_are_written_after_it(rig: Rig) -> None:
    go_on = asyncio.Event()

    async def slow(work: Callable[[], Found]) -> Found:
        if writes(work, rig.store):
            await go_on.wait()
        return work()

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
