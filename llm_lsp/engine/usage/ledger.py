"""Collects usage records, and writes them in batches in a thread; a guard enforces the budget.

Records that cannot be written are kept and tried again. Completions never wait for this.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Protocol

from llm_lsp.core.usage.budget import BudgetLimits, BudgetUse, SpentTotals
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord, Subject, SuggestionRecord
from llm_lsp.core.usage.request_trace import TraceRow
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock, InThread, Timer
from llm_lsp.engine.usage.budget_guard import BudgetGuard, BudgetStore
from llm_lsp.engine.usage.in_memory_store import InMemoryUsageStore
from llm_lsp.errors import BooksError, InternalError

# Seconds until a call's or suggestion's record is written. Together with the time for writing, a killed process loses
# the last 250 ms at most (ADR 21).
SOON_S = 0.1
# Seconds until counts and traces are written: syncing the disk at every keystroke would wear it out.
LATER_S = 2.0
# Seconds until a retry after a failure, such as a full disk or a locked file.
RETRY_S = 30.0
# Records kept while they cannot be written; the oldest are dropped first.
MOST_PENDING = 10_000
BOOKS_CAUSE = "books"


class UsageStore(BudgetStore, Protocol):
    """Also stores records. The methods block, may be called from any thread, and raise BooksError."""

    def write(self, batch: RecordBatch) -> None:
        """Write all records, or none."""
        ...

    def close(self) -> None: ...


class Ledger:
    """Collects records and writes them in batches; one per process."""

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
        self._budget = BudgetGuard(notifications, status, clock, utc, in_thread)
        self._in_thread = in_thread
        self._notifications = notifications
        self._clock = clock
        self._utc = utc
        self._calls: dict[int, CallRecord] = {}
        self._suggestions: dict[str, SuggestionRecord] = {}
        self._counts: Counter[tuple[Subject, str]] = Counter()
        self._traces: list[TraceRow] = []
        self._timer: Timer | None = None
        self._due = float("inf")
        """When something has to be written."""
        self._rest_until = float("-inf")
        """No records are written before this time, after a failure."""
        self._writing: asyncio.Task[None] | None = None

    def configure(self, limits: BudgetLimits, *, save: bool) -> None:
        """Set the limits, and whether records are stored in a file; a budget needs the file in any case."""
        is_saved = self._file is not None and (save or limits.is_set)
        if is_saved != (self._store is self._file):
            self._store = self._file if self._file and is_saved else InMemoryUsageStore()
        self._budget.configure(limits, self._store)

    @property
    def spent(self) -> SpentTotals:
        """The amounts spent until now, including those not written yet."""
        return self._budget.spent

    @property
    def has_budget(self) -> bool:
        """Whether calls that cost something have to be reserved."""
        return self._budget.is_set

    def used_up(self) -> BudgetUse | None:
        """Return the limit that is used up, or None."""
        return self._budget.used_up()

    async def reserve(self, call: CallRecord) -> None:
        """Reserve the highest cost of a call; raises BudgetError if the budget does not allow it."""
        await self._budget.reserve(call)
        if self.has_budget and not call.free:
            # If this process is killed, the call remains recorded at its highest cost.
            self._calls.setdefault(call.number, call)
            self._write_within(SOON_S)

    def settle(self, call: CallRecord) -> None:
        """Record a call's real usage."""
        self._calls[call.number] = call
        self._budget.settle(call)
        self._write_within(SOON_S)

    def suggestion(self, row: SuggestionRecord) -> None:
        """Record the state of a suggestion."""
        self._suggestions[row.id] = row
        self._write_within(SOON_S)

    def count(self, subject: Subject, what: str) -> None:
        """Add one to a count."""
        self._counts[subject, what] += 1
        self._write_within(LATER_S)

    def trace(self, row: TraceRow) -> None:
        """Record how a request was answered."""
        self._traces.append(row)
        self._write_within(LATER_S)

    async def aclose(self) -> None:
        """Write everything that is left."""
        if self._timer:
            self._timer.cancel()
        if self._writing:
            await self._writing
        if self._timer:
            self._timer.cancel()  # set by records that arrived during the last write; they are written here
        await self._write(is_last=True)
        if self._timer:
            self._timer.cancel()  # set for the retry of a failed write
        await self._budget.aclose()
        await self._in_thread(self._store.close)

    def _write_within(self, delay_s: float) -> None:
        due = self._clock.now() + delay_s
        if due < self._due:
            self._due = due
            if not self._writing:  # a running write checks again at its end
                self._wake()

    def _wake(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._clock.call_at(self._due, self._begin)

    def _begin(self) -> None:
        self._timer, self._due = None, float("inf")
        self._writing = asyncio.create_task(self._write())

    async def _write(self, *, is_last: bool = False) -> None:
        try:
            if not await self._budget.flush():
                self._write_within(RETRY_S)
            if self._is_empty():
                return
            if is_last or self._clock.now() >= self._rest_until:
                await self._write_rows(self._take())
            else:
                self._write_within(self._rest_until - self._clock.now())
        finally:
            self._writing = None
            if self._due < float("inf"):
                self._wake()

    async def _write_rows(self, batch: RecordBatch) -> None:
        try:
            await self._in_thread(partial(self._store.write, batch))
        except Exception as exc:
            if isinstance(exc, BooksError):
                # An unexpected error is due to these records: drop them, so that later ones can be written.
                self._put_back(batch)
            said = exc if isinstance(exc, BooksError) else InternalError.of(exc)
            self._notifications.say(BOOKS_CAUSE, "warning", f"usage is not saved: {said}")
            self._rest_until = self._clock.now() + RETRY_S
            self._write_within(RETRY_S)
        else:
            self._notifications.over(BOOKS_CAUSE)

    def _take(self) -> RecordBatch:
        calls, suggestions = tuple(self._calls.values()), tuple(self._suggestions.values())
        batch = RecordBatch(self._utc(), calls, suggestions, dict(self._counts), tuple(self._traces))
        self._calls, self._suggestions = {}, {}
        self._counts, self._traces = Counter(), []
        return batch

    def _put_back(self, batch: RecordBatch) -> None:
        self._calls = {call.number: call for call in batch.calls} | self._calls
        self._suggestions = {row.id: row for row in batch.suggestions} | self._suggestions
        self._counts.update(batch.counts)
        self._traces = [*batch.traces, *self._traces][-MOST_PENDING:]
        self._calls = dict([*self._calls.items()][-MOST_PENDING:])
        self._suggestions = dict([*self._suggestions.items()][-MOST_PENDING:])

    def _is_empty(self) -> bool:
        return not (self._calls or self._suggestions or self._counts or self._traces)
