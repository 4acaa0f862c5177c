"""Holds a budget: a call that costs something is reserved before it is made, and counted when it has ended.

What all processes spent stands in a file that is asked in a thread. A call does not wait for it longer than WAIT_S: then
the last totals that this process knows, with its own calls since, decide. As long as it knows none, no call is made;
only then it waits for longer, since a process that has just started has its code still to load.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from llm_lsp.config.settings import BudgetConfig
from llm_lsp.core.generation import Usage
from llm_lsp.core.usage.budget import (
    BudgetLimits,
    BudgetUse,
    CountedCall,
    Reservation,
    SpentTotals,
    local_day,
    most_used,
)
from llm_lsp.core.usage.records import CallRecord
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock, InThread, Timer
from llm_lsp.errors import BooksError, BudgetError, InternalError

LOG = logging.getLogger(__name__)

# Seconds that a call waits for its reservation; it takes less than a millisecond where no other program is in the way.
WAIT_S = 0.05
FIRST_WAIT_S = 1.0
# Calls that are kept while they cannot be recorded; older ones count in this process alone.
MOST_PENDING = 10_000
CAUSE = "budget"
UNKNOWN_CAUSE = "budget is not known"


class BudgetStore(Protocol):
    """Where all processes of a user add up what they spend. Its methods block, and raise BooksError."""

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord]
    ) -> Reservation:
        """Settle calls, and count one with the most it can cost if `allows` says so of what was spent."""
        ...

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        """Count calls with what they did cost, in the place of what was reserved; `at` is now."""
        ...


class BudgetGuard:
    """Answers for the budget; one for a process."""

    def __init__(
        self,
        notifications: Notifications,
        status: ServerStatus,
        clock: Clock,
        utc: Callable[[], float],
        in_thread: InThread,
    ) -> None:
        self._notifications = notifications
        self._status = status
        self._clock = clock
        self._utc = utc
        self._in_thread = in_thread
        self._store: BudgetStore | None = None
        self._limits = BudgetLimits()
        self._known: SpentTotals | None = None
        """What all processes had spent when the store was last asked; None as long as that is not known."""
        self._pending: dict[int, CallRecord] = {}
        """This process's calls that `_known` lacks, or has with the most they can cost."""
        self._reserved: dict[int, CountedCall] = {}
        """The calls that it has so."""
        self._told: set[str] = set()
        """What was said of a budget, by its period."""
        self._timer: Timer | None = None
        """Until the store is asked for the first time."""
        self._tasks: set[asyncio.Future[Reservation] | asyncio.Future[bool]] = set()

    def configure(self, limits: BudgetLimits, store: BudgetStore) -> None:
        """Set what may be spent, and the store that adds it up."""
        if store is not self._store:
            self._store, self._known = store, None
        self._limits = limits
        if limits.is_set and self._known is None:
            # So that it is known when the first call asks.
            self._timer = self._clock.call_at(self._clock.now(), self._look)
        self._judge()

    @property
    def is_set(self) -> bool:
        """Whether a call that costs something has to be reserved."""
        return self._limits.is_set

    @property
    def spent(self) -> SpentTotals:
        """What was spent until now, as far as this process knows."""
        today = local_day(self._utc())
        if self._known is not None:
            self._known = self._known.on(today)
        spent = self._known or SpentTotals(today)
        for number, call in self._pending.items():
            spent = spent.with_call(call, self._reserved.get(number))
        return spent

    def used_up(self) -> BudgetUse | None:
        """Return the limit that is used up, or None."""
        use = most_used(self._limits, self.spent) if self._limits.is_set else None
        return use if use and use.share >= 1 else None

    async def reserve(self, call: CallRecord) -> None:
        """Set the most that a call can cost aside; raises BudgetError if that may not be spent."""
        if call.free or not self._limits.is_set or self._store is None:
            return
        self._check_price(call)
        settled = tuple(self._pending.values())
        work = self._in_thread(partial(self._store.reserve, call, self._allows, settled))
        task = asyncio.ensure_future(work)
        if not await self._is_in_time(task):
            self._keep(task)
            is_allowed = self._decide_alone(call, BooksError("the file of what was spent does not answer"))
            task.add_done_callback(partial(self._answered_late, call, settled, is_allowed))
        elif (error := task.exception()) is not None:
            is_allowed = self._decide_alone(call, error)
        else:
            answer = task.result()
            is_allowed = answer.is_allowed
            self._learn(answer, settled)
            if is_allowed and answer.is_recorded:
                self._reserved[call.number] = CountedCall(call, answer.spent.day)
            elif is_allowed:
                self._pending[call.number] = call
        if not is_allowed:
            raise self._refusal()

    def settle(self, call: CallRecord) -> None:
        """Count what a call used; `flush` tells the other processes."""
        if not call.free:
            self._pending[call.number] = call
        while len(self._pending) > MOST_PENDING and self._known is not None:
            oldest = self._pending.pop(next(iter(self._pending)))
            self._known = self._known.with_call(oldest, self._reserved.pop(oldest.number, None))

    async def flush(self) -> bool:
        """Record ended calls in the store; return False if that failed and is to be tried again."""
        settled = tuple(self._pending.values())
        if self._store is None or (not settled and (self._known is not None or not self._limits.is_set)):
            return True
        try:
            answer = await self._in_thread(partial(self._store.settle, self._utc(), settled))
        except Exception as exc:
            LOG.debug("what was spent is not recorded: %s", exc)
            is_recorded = False
        else:
            self._learn(answer, settled)
            is_recorded = answer.is_recorded
        self._status.spent(self._limits.total(self.spent.money_today))
        self._judge()
        return is_recorded

    async def aclose(self) -> None:
        """End what is under way; a thread that still waits for the file ends by itself."""
        if self._timer:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look(self) -> None:
        self._keep(asyncio.ensure_future(self.flush()))

    def _keep(self, task: asyncio.Future[Reservation] | asyncio.Future[bool]) -> None:
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._tasks.discard(task))

    async def _is_in_time(self, task: asyncio.Future[Reservation]) -> bool:
        late = asyncio.get_running_loop().create_future()
        wait_s = FIRST_WAIT_S if self._known is None else WAIT_S
        timer = self._clock.call_at(self._clock.now() + wait_s, partial(_set, late))
        try:
            await asyncio.wait({task, late}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._keep(task)  # Its call is settled as one that cost nothing.
            raise
        finally:
            timer.cancel()
            late.cancel()
        return task.done()

    def _decide_alone(self, call: CallRecord, error: BaseException) -> bool:
        """Return whether a call may be made by what this process knows."""
        said = error if isinstance(error, BooksError) else InternalError.of(error)
        LOG.debug("the budget is judged by what is known here: %s", said)
        if self._known is None:
            self._notifications.say(UNKNOWN_CAUSE, "warning", f"{UNKNOWN}: {said}", kind=UNKNOWN_CAUSE)
            return False
        is_allowed = self._allows(self.spent)
        if is_allowed:
            self._pending[call.number] = call
        return is_allowed

    def _answered_late(
        self,
        call: CallRecord,
        settled: Sequence[CallRecord],
        was_allowed: bool,
        task: asyncio.Future[Reservation],
    ) -> None:
        if task.cancelled() or task.exception() is not None:
            return
        answer = task.result()
        self._learn(answer, settled)
        if answer.is_recorded and answer.is_allowed and not was_allowed:
            # It was never made.
            self._pending[call.number] = replace(call, usage=Usage(0, 0), cost=0.0, outcome="failed")

    def _learn(self, answer: Reservation, settled: Sequence[CallRecord]) -> None:
        self._known = answer.spent
        self._notifications.over(UNKNOWN_CAUSE)
        if answer.is_recorded:
            for call in settled:
                if self._pending.get(call.number) is call:
                    del self._pending[call.number]
                if call.outcome == "reserved":
                    self._reserved[call.number] = CountedCall(call, answer.spent.day)
                else:
                    self._reserved.pop(call.number, None)

    def _refusal(self) -> BudgetError:
        self._judge()
        use = most_used(self._limits, self.spent)
        if self._known is None or use is None:
            return BudgetError(UNKNOWN)
        return BudgetError(f"{use.words} are spent")

    def _allows(self, spent: SpentTotals) -> bool:
        use = most_used(self._limits, spent)
        return use is None or use.share < 1

    def _judge(self) -> None:
        """Report once a period that most of a budget is spent, and once that all of it is."""
        use = most_used(self._limits, self.spent)
        self._status.budget(f"{use.words} are spent" if use and use.share >= 1 else "")
        if use is None or use.share < self._limits.warn_at:
            return
        end = "" if use.share < 1 else "; calls that cost something are not made any more"
        cause = f"{CAUSE} {use.period}{end}"
        if cause not in self._told:
            self._told.add(cause)
            self._notifications.say(cause, "warning", f"{use.words} are spent{end}")

    def _check_price(self, call: CallRecord) -> None:
        """Report where a budget of money cannot be held."""
        if not self._limits.has_money:
            return
        if call.cost is not None and self._limits.worth(call.cost, call.currency) is not None:
            return
        subject = call.subject
        if call.cost is None:
            cure = f"set providers.{subject.provider}.price_input and price_output"
            text = f"no price is known for {subject.model}, so that no budget holds it: {cure}"
        else:
            cure = f"set {call.currency} under [budget.exchange]"
            text = f"the price of {subject.model} is in {call.currency}, so that no budget holds it: {cure}"
        self._notifications.say(f"{CAUSE} {subject.model}", "warning", text)


UNKNOWN = "calls that cost something are not made, since what was spent is not known"


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def limits_of(budget: BudgetConfig) -> BudgetLimits:
    """Read a budget from the settings."""
    return BudgetLimits(
        budget.currency,
        None if budget.per_day == "none" else budget.per_day,
        None if budget.per_month == "none" else budget.per_month,
        None if budget.tokens_per_day == "none" else budget.tokens_per_day,
        None if budget.tokens_per_month == "none" else budget.tokens_per_month,
        budget.warn_at,
        budget.exchange,
    )
