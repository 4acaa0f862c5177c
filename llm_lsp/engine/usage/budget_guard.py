"""Enforces a budget: a call that costs something is reserved before it is made, and settled when it ends.

The amounts spent by all processes are in a file, which is read in a thread. A call waits for it for at most
WAIT_S; after that, the last known amounts plus this process's own calls decide. While no amounts are known, no
call is made. In that case, calls wait longer, since a new process first has to import the code.
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

# Seconds that a call waits for its reservation, which usually takes less than a millisecond.
WAIT_S = 0.05
FIRST_WAIT_S = 1.0
# Calls kept while they cannot be recorded; older ones count in this process only.
MOST_PENDING = 10_000
CAUSE = "budget"
UNKNOWN_CAUSE = "budget is not known"


class BudgetStore(Protocol):
    """Where the spending of all a user's processes is added up. The methods block, and raise BooksError."""

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord]
    ) -> Reservation:
        """Settle calls, and reserve the highest cost of another if `allows` accepts the amounts spent."""
        ...

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        """Replace reserved amounts by the calls' real costs; `at` is the current time."""
        ...


class BudgetGuard:
    """Enforces the budget; one per process."""

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
        """What all processes had spent when the store was last read; None if unknown."""
        self._pending: dict[int, CallRecord] = {}
        """This process's calls that are missing in `_known`, or are in it at their highest cost."""
        self._reserved: dict[int, CountedCall] = {}
        """Those of them that are in it at their highest cost."""
        self._told: set[str] = set()
        """What the user was told about a budget, by its period."""
        self._timer: Timer | None = None
        """Started until the store is read for the first time."""
        self._tasks: set[asyncio.Future[Reservation] | asyncio.Future[bool]] = set()

    def configure(self, limits: BudgetLimits, store: BudgetStore) -> None:
        """Set the limits, and the store that adds up the spending."""
        if store is not self._store:
            self._store, self._known = store, None
        self._limits = limits
        if limits.is_set and self._known is None:
            # Read the store now, so that the first call need not wait.
            self._timer = self._clock.call_at(self._clock.now(), self._look)
        self._judge()

    @property
    def is_set(self) -> bool:
        """Whether calls that cost something have to be reserved."""
        return self._limits.is_set

    @property
    def spent(self) -> SpentTotals:
        """The amounts spent until now, as far as this process knows."""
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
        """Reserve the highest cost of a call; raises BudgetError if the budget does not allow it."""
        if call.free or not self._limits.is_set or self._store is None:
            return
        self._check_price(call)
        settled = tuple(self._pending.values())
        work = self._in_thread(partial(self._store.reserve, call, self._allows, settled))
        task = asyncio.ensure_future(work)
        if not await self._is_in_time(task):
            self._keep(task)
            is_allowed = self._decide_alone(call, BooksError("the file of amounts spent does not respond"))
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
        """Count a call's real cost; `flush` tells the other processes."""
        if not call.free:
            self._pending[call.number] = call
        while len(self._pending) > MOST_PENDING and self._known is not None:
            oldest = self._pending.pop(next(iter(self._pending)))
            self._known = self._known.with_call(oldest, self._reserved.pop(oldest.number, None))

    async def flush(self) -> bool:
        """Record ended calls in the store; return False if that failed and should be retried."""
        settled = tuple(self._pending.values())
        if self._store is None or (not settled and (self._known is not None or not self._limits.is_set)):
            return True
        try:
            answer = await self._in_thread(partial(self._store.settle, self._utc(), settled))
        except Exception as exc:
            LOG.debug("the amounts spent could not be recorded: %s", exc)
            is_recorded = False
        else:
            self._learn(answer, settled)
            is_recorded = answer.is_recorded
        self._status.spent(self._limits.total(self.spent.money_today))
        self._judge()
        return is_recorded

    async def aclose(self) -> None:
        """Cancel what is running; a thread that waits for the file ends by itself."""
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
            self._keep(task)  # its call is settled at no cost
            raise
        finally:
            timer.cancel()
            late.cancel()
        return task.done()

    def _decide_alone(self, call: CallRecord, error: BaseException) -> bool:
        """Decide with this process's own knowledge whether a call may be made."""
        said = error if isinstance(error, BooksError) else InternalError.of(error)
        LOG.debug("the budget is checked with this process's own figures: %s", said)
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
            # The call was not made.
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
        """Warn the user, once per period each, that most of a budget or all of it is spent."""
        use = most_used(self._limits, self.spent)
        self._status.budget(f"{use.words} are spent" if use and use.share >= 1 else "")
        if use is None or use.share < self._limits.warn_at:
            return
        end = "" if use.share < 1 else "; no more calls that cost something are made"
        cause = f"{CAUSE} {use.period}{end}"
        if cause not in self._told:
            self._told.add(cause)
            self._notifications.say(cause, "warning", f"{use.words} are spent{end}")

    def _check_price(self, call: CallRecord) -> None:
        """Warn the user if a budget of money cannot be enforced."""
        if not self._limits.has_money:
            return
        if call.cost is not None and self._limits.worth(call.cost, call.currency) is not None:
            return
        subject = call.subject
        if call.cost is None:
            cure = f"set providers.{subject.provider}.price_input and price_output"
            text = f"the price of {subject.model} is unknown, so the budget does not cover it: {cure}"
        else:
            cure = f"set {call.currency} under [budget.exchange]"
            text = (
                f"the price of {subject.model} is in {call.currency}, so the budget does not cover it: {cure}"
            )
        self._notifications.say(f"{CAUSE} {subject.model}", "warning", text)


UNKNOWN = "no calls that cost something are made, since the amounts spent are unknown"


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def limits_of(budget: BudgetConfig) -> BudgetLimits:
    """Return the limits in the settings."""
    return BudgetLimits(
        budget.currency,
        None if budget.per_day == "none" else budget.per_day,
        None if budget.per_month == "none" else budget.per_month,
        None if budget.tokens_per_day == "none" else budget.tokens_per_day,
        None if budget.tokens_per_month == "none" else budget.tokens_per_month,
        budget.warn_at,
        budget.exchange,
    )
