"""A budget while calls begin and end, the disk fails and writing takes its time: it holds, and no row is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llm_lsp.core.usage.budget import BudgetLimits
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Found
from llm_lsp.engine.usage.budget_guard import WAIT_S
from llm_lsp.engine.usage.ledger import RETRY_S, Ledger
from llm_lsp.errors import BudgetError
from tests.doubles import FakeClock, settle
from tests.engine.rig import RecordingClient
from tests.engine.usage.list_store import ListStore, writes
from tests.fuzz.examples import fuzzed
from tests.usage_store.rows import NOON, SUBJECT, a_call

LIMIT = 4.0


class Spending(RuleBasedStateMachine):
    """One process; costs are quarters, so that their sums are exact."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock, self.store = FakeClock(), ListStore()
        self.free_to_write = asyncio.Event()
        self.free_to_write.set()
        self.free_to_reserve = asyncio.Event()
        self.free_to_reserve.set()
        client = RecordingClient()
        notifications, status = Notifications(client, self.clock.now), ServerStatus(client, self.clock)
        self.ledger = Ledger(self.store, notifications, status, self.clock, lambda: NOON, self.in_thread)
        self.ledger.configure(BudgetLimits(per_day=LIMIT), save=True)
        self.under_way: dict[int, float] = {}
        self.settled: dict[int, float] = {}
        self.worst: dict[int, float] = {}
        self.keys = 0
        self.run(self.clock.advance(0))  # It learns what was spent.

    async def in_thread(self, work: Callable[[], Found]) -> Found:
        """Call as soon as the disk gets to it; a reservation passes a writing that has not begun."""
        await (self.free_to_write if writes(work, self.store) else self.free_to_reserve).wait()
        return work()

    def run(self, work: Awaitable[None]) -> None:
        async def and_settle() -> None:
            try:
                await work
            finally:
                await settle()

        self.loop.run_until_complete(and_settle())

    def teardown(self) -> None:
        self.store.failure = self.store.budget_failure = ""
        self.free_to_write.set()
        self.free_to_reserve.set()
        self.run(self.clock.advance(2 * RETRY_S))
        self.run(self.ledger.aclose())
        self.loop.close()
        written = {call.number: call.cost for call in self.store.calls}
        assert written == self.settled | self.under_way
        spent = sum(self.settled.values()) + sum(self.under_way.values())
        assert self.store.sums.settle(NOON, ()).spent.money_today.get("USD", 0.0) == spent
        assert self.store.counted().get("keystrokes", 0) == self.keys

    @rule(most=st.sampled_from([0.5, 1.0, 2.0]))
    def begin(self, most: float) -> None:
        number = len(self.worst) + 1
        spent = sum(self.settled.values())
        try:
            self.run(self.reserve(number, most))
        except BudgetError:
            assert spent + sum(self.worst.values()) >= LIMIT, "refused although nothing like it can be spent"
        else:
            assert spent < LIMIT, "allowed although all is spent"
            self.under_way[number] = self.worst[number] = most

    async def reserve(self, number: int, most: float) -> None:
        reserving = asyncio.create_task(self.ledger.reserve(a_call(number, most, outcome="reserved")))
        await settle()
        if not reserving.done():
            await self.clock.advance(WAIT_S)
        await reserving

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), share=st.sampled_from([0.0, 0.5, 1.0]))
    def end(self, data: st.DataObject, share: float) -> None:
        number = data.draw(st.sampled_from(sorted(self.under_way)))
        self.settled[number] = share * self.under_way.pop(number)

        async def end() -> None:
            self.ledger.settle(a_call(number, self.settled[number]))

        self.run(end())

    @rule()
    def type(self) -> None:
        self.keys += 1
        self.ledger.count(SUBJECT, "keystrokes")

    @rule(failure=st.sampled_from(["", "the disk is full"]))
    def disk(self, failure: str) -> None:
        self.store.failure = failure

    @rule(failure=st.sampled_from(["", "it cannot be read"]))
    def budget(self, failure: str) -> None:
        self.store.budget_failure = failure

    @rule()
    def be_slow(self) -> None:
        self.free_to_write.clear()

    @rule()
    def be_slow_to_reserve(self) -> None:
        self.free_to_reserve.clear()

    @rule()
    def be_fast(self) -> None:
        self.free_to_write.set()
        self.free_to_reserve.set()
        self.run(settle())

    @rule(seconds=st.sampled_from([0.05, 1.0, 3.0, RETRY_S]))
    def wait(self, seconds: float) -> None:
        self.run(self.clock.advance(seconds))

    @invariant()
    def it_knows_of_all_that_was_spent(self) -> None:
        assert self.ledger.spent.money_today.get("USD", 0.0) >= sum(self.settled.values())


TestSpending = Spending.TestCase
TestSpending.settings = fuzzed
