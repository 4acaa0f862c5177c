"""The books as the engine keeps them: rows are collected here and written in a thread, and budgets are held.

Knows neither the file nor SQL. What cannot be written stays here and is tried again; completion never waits for it,
but for a budget's word before a call.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from llm_lsp.config.settings import BudgetConfig
from llm_lsp.core.usage.budget import BudgetLimits, BudgetUse, SpentTotals, local_day, most_used
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord, Subject, SuggestionRecord
from llm_lsp.core.usage.request_trace import TraceRow
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock, Timer
from llm_lsp.errors import BooksError, BudgetError, InternalError

# Seconds from a call's or a suggestion's row to its writing. With the writing itself it is what a process that is
# killed loses: 250 ms at most, see docs/adr/0021.
SOON_S = 0.1
# Seconds for counts and traces: a sync of the disk for every key would wear it out.
LATER_S = 2.0
# Seconds after a failure: a disk that is full, or a file that another process holds.
RETRY_S = 30.0
# Rows that are kept while they cannot be written; the oldest go first.
MOST_PENDING = 10_000
BOOKS_CAUSE = "books"
BUDGET_CAUSE = "budget"


InThread = Callable[..., Awaitable[Any]]
"""Calls a function with its arguments in a thread, as asyncio.to_thread does."""


class UsageStore(Protocol):
    """Where rows go. Its methods block, may be called from any thread, and raise BooksError."""

    def write(self, batch: RecordBatch) -> SpentTotals:
        """Write rows, all or none, and give what all processes have spent."""
        ...

    def reserve(self, call: CallRecord, allows: Callable[[SpentTotals], bool]) -> tuple[bool, SpentTotals]:
        """Write a call with the most it can cost, if `allows` says so of what was spent; and give what was."""
        ...

    def close(self) -> None: ...


class InMemoryUsageStore:
    """A store that ends with the process: a budget is held, and nothing is kept."""

    def __init__(self) -> None:
        self._spent = SpentTotals()
        self._reserved: dict[int, CallRecord] = {}

    def write(self, batch: RecordBatch) -> SpentTotals:
        """Add the calls up."""
        for call in batch.calls:
            self._reserved.pop(call.number, None)
        self._spent = self._spent.on(local_day(batch.at)).plus(batch.calls)
        return self._spent.plus(self._reserved.values())

    def reserve(self, call: CallRecord, allows: Callable[[SpentTotals], bool]) -> tuple[bool, SpentTotals]:
        """Add a call, if what was spent allows it."""
        self._spent = self._spent.on(local_day(call.at))
        allowed = allows(self._spent.plus(self._reserved.values()))
        if allowed:
            self._reserved[call.number] = call
        return allowed, self._spent.plus(self._reserved.values())

    def close(self) -> None:
        """Nothing is open."""


class Ledger:
    """Collects rows, a batch at a time, and answers for the budget; one for a process."""

    def __init__(
        self,
        store: UsageStore | None,
        notifications: Notifications,
        status: ServerStatus,
        clock: Clock,
        utc: Callable[[], float],
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        self._file = store
        self._store: UsageStore = InMemoryUsageStore()
        self._in_thread = in_thread
        self._notifications = notifications
        self._status = status
        self._clock = clock
        self._utc = utc
        self._limits = BudgetLimits()
        self._spent = SpentTotals()
        """What all processes had spent when this one last looked, and what it spent since."""
        self._told: set[str] = set()
        """What was said of a budget, by its period."""
        self._calls: dict[int, CallRecord] = {}
        self._being_written: tuple[CallRecord, ...] = ()
        self._reserved: set[int] = set()
        """The calls that the store counts already, with the most that they could cost."""
        self._suggestions: dict[str, SuggestionRecord] = {}
        self._counts: Counter[tuple[Subject, str]] = Counter()
        self._traces: list[TraceRow] = []
        self._timer: Timer | None = None
        self._due = float("inf")
        """When rows are to be written."""
        self._rest_until = float("-inf")
        """Before this nothing is tried, since it failed."""
        self._writing: asyncio.Task[None] | None = None

    def configure(self, limits: BudgetLimits, *, save: bool) -> None:
        """Take what may be spent, and whether a file is wanted; a budget wants one in any case."""
        is_saved = self._file is not None and (save or limits.is_set)
        if is_saved != (self._store is self._file):
            self._store = self._file if self._file and is_saved else InMemoryUsageStore()
            self._reserved.clear()
        self._limits = limits
        self._judge()

    @property
    def spent(self) -> SpentTotals:
        """What was spent until now, with what is not written yet."""
        return self._spent.on(local_day(self._utc()))

    @property
    def has_budget(self) -> bool:
        """Whether a call that costs something has to be reserved."""
        return self._limits.is_set

    def used_up(self) -> BudgetUse | None:
        """Give the limit that is used up, if one is."""
        use = most_used(self._limits, self.spent) if self._limits.is_set else None
        return use if use and use.share >= 1 else None

    async def reserve(self, call: CallRecord) -> None:
        """Set the most that a call can cost aside; raises BudgetError where the budget is used up."""
        if call.free or not self._limits.is_set:
            return
        self._check_price(call)
        unwritten = self._unwritten()
        try:
            allowed, spent = await self._in_thread(
                self._store.reserve, call, lambda spent: self._allows(spent.plus(unwritten))
            )
            if allowed:
                self._reserved.add(call.number)
            self._spent = spent.plus(self._unwritten())
        except Exception as exc:
            self._complain(exc)
            allowed = self._allows(self.spent)
        if not allowed:
            self._judge()
            use = most_used(self._limits, self.spent)
            raise BudgetError(f"{use.words} are spent" if use else "the budget is used up")

    def settle(self, call: CallRecord) -> None:
        """Take what a call used."""
        self._calls[call.number] = call
        self._spent = self.spent.plus((call,))
        if self._clock.now() < self._rest_until:
            self._judge()  # Nothing can be written, which is when it is judged otherwise.
        self._write_within(SOON_S)

    def suggestion(self, row: SuggestionRecord) -> None:
        """Take what is known of a suggestion."""
        self._suggestions[row.id] = row
        self._write_within(SOON_S)

    def count(self, subject: Subject, what: str) -> None:
        """Count one more of something."""
        self._counts[subject, what] += 1
        self._write_within(LATER_S)

    def trace(self, row: TraceRow) -> None:
        """Take how a request was answered."""
        self._traces.append(row)
        self._write_within(LATER_S)

    async def aclose(self) -> None:
        """Write what there is."""
        if self._timer:
            self._timer.cancel()
        if self._writing:
            await self._writing
        if self._timer:
            self._timer.cancel()  # For rows that came during that writing; they are written here.
        if not self._is_empty():
            await self._write(self._take())
        if self._timer:
            self._timer.cancel()  # The retry of a writing that failed.
        await self._in_thread(self._store.close)

    def _write_within(self, delay_s: float) -> None:
        due = max(self._clock.now() + delay_s, self._rest_until)
        if due < self._due:
            self._due = due
            if not self._writing:  # It looks again at its end.
                self._wake()

    def _wake(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._clock.call_at(self._due, self._begin)

    def _begin(self) -> None:
        self._timer, self._due = None, float("inf")
        self._writing = asyncio.create_task(self._write(self._take()))

    async def _write(self, batch: RecordBatch) -> None:
        try:
            spent = await self._in_thread(self._store.write, batch)
        except Exception as exc:
            if isinstance(exc, BooksError):
                self._put_back(batch)
            else:
                # Nobody foresaw what is wrong with these rows: without them the next can be written.
                self._being_written = ()
            self._complain(exc)
            self._judge()
            self._due = self._rest_until = self._clock.now() + RETRY_S
        else:
            self._being_written = ()
            self._reserved.difference_update(call.number for call in batch.calls)
            self._spent = spent.plus(self._unwritten())
            self._status.spent(self._limits.total(self.spent.money_today))
            self._notifications.over(BOOKS_CAUSE)
            self._judge()
        finally:
            self._writing = None
            if self._due < float("inf"):
                self._wake()

    def _take(self) -> RecordBatch:
        calls, suggestions = tuple(self._calls.values()), tuple(self._suggestions.values())
        batch = RecordBatch(self._utc(), calls, suggestions, dict(self._counts), tuple(self._traces))
        self._calls, self._suggestions, self._being_written = {}, {}, calls
        self._counts, self._traces = Counter(), []
        return batch

    def _put_back(self, batch: RecordBatch) -> None:
        self._calls, self._being_written = {call.number: call for call in batch.calls} | self._calls, ()
        self._suggestions = {row.id: row for row in batch.suggestions} | self._suggestions
        self._counts.update(batch.counts)
        self._traces = [*batch.traces, *self._traces][-MOST_PENDING:]
        self._calls = dict([*self._calls.items()][-MOST_PENDING:])
        self._suggestions = dict([*self._suggestions.items()][-MOST_PENDING:])

    def _unwritten(self) -> tuple[CallRecord, ...]:
        """Give the calls that the store's sums lack, since it failed when they were to be reserved."""
        pending = (*self._being_written, *self._calls.values())
        return tuple(call for call in pending if call.number not in self._reserved)

    def _is_empty(self) -> bool:
        return not (self._calls or self._suggestions or self._counts or self._traces)

    def _complain(self, error: Exception) -> None:
        said = error if isinstance(error, BooksError) else InternalError.of(error)
        self._notifications.say(BOOKS_CAUSE, "warning", f"usage is not saved: {said}")

    def _allows(self, spent: SpentTotals) -> bool:
        use = most_used(self._limits, spent)
        return use is None or use.share < 1

    def _judge(self) -> None:
        """Say once a period that most of a budget is spent, and once that all of it is."""
        use = most_used(self._limits, self.spent)
        self._status.budget(f"{use.words} are spent" if use and use.share >= 1 else "")
        if use is None or use.share < self._limits.warn_at:
            return
        end = "" if use.share < 1 else "; calls that cost something are not made any more"
        cause = f"{BUDGET_CAUSE} {use.period}{end}"
        if cause not in self._told:
            self._told.add(cause)
            self._notifications.say(cause, "warning", f"{use.words} are spent{end}")

    def _check_price(self, call: CallRecord) -> None:
        """Say where a budget of money cannot be held."""
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
        self._notifications.say(f"{BUDGET_CAUSE} {subject.model}", "warning", text)


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
