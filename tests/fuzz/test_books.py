"""Books that processes write into and die over: what was written whole is there, and nothing else is."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llm_lsp.core.usage.budget import SpentTotals, local_day
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord
from llm_lsp.usage_store.reader import UsageReader
from llm_lsp.usage_store.store import SqliteUsageStore
from tests.fuzz.examples import TIMES, fuzzed
from tests.usage_store.rows import DAY_S, NOON, a_call

# Sums of these are exact.
COSTS = st.sampled_from([None, 0.0, 0.25, 0.5, 2.0])
PROCESSES = st.integers(0, 1)
ROWS = st.lists(st.tuples(st.integers(1, 6), COSTS, st.booleans()), min_size=1, max_size=4)


@dataclass(frozen=True, slots=True)
class Row:
    """A call as the model of the books has it."""

    day: int
    cost: float
    tokens: int


class Crashes(RuleBasedStateMachine):
    """Two processes and a file; at a crash both die between two statements of one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name, "0")
        self.stores: list[SqliteUsageStore] = []
        self.rows: dict[tuple[SqliteUsageStore, int], Row] = {}
        self.day = 0
        self.begin()

    def teardown(self) -> None:
        for each in self.stores:
            each.close()
        self.folder.cleanup()

    def begin(self) -> None:
        """Start two processes."""
        for each in self.stores:
            each.close()
        self.stores = [SqliteUsageStore(self.home / "usage.db") for _ in range(2)]

    @property
    def now(self) -> float:
        return NOON + self.day * DAY_S

    def calls(self, rows: list[tuple[int, float | None, bool]]) -> tuple[CallRecord, ...]:
        return tuple(a_call(number, cost, at=self.now, free=free) for number, cost, free in rows)

    def take(self, store: SqliteUsageStore, calls: tuple[CallRecord, ...]) -> None:
        """Write calls into the model; one that is known is settled on its own day."""
        for call in calls:
            old = self.rows.get((store, call.number))
            day = old.day if old else self.day
            row = Row(day, 0.0, 0) if call.free else Row(day, call.cost or 0.0, call.tokens)
            self.rows[store, call.number] = row

    def spent(self) -> SpentTotals:
        today = [row for row in self.rows.values() if row.day == self.day]
        month = list(self.rows.values())
        return SpentTotals(
            "",
            {"USD": sum(row.cost for row in today)},
            {"USD": sum(row.cost for row in month)},
            sum(row.tokens for row in today),
            sum(row.tokens for row in month),
        )

    @rule(process=PROCESSES, rows=ROWS)
    def write(self, process: int, rows: list[tuple[int, float | None, bool]]) -> None:
        calls = self.calls(rows)
        self.stores[process].write(RecordBatch(self.now, calls))
        self.take(self.stores[process], calls)

    @rule()
    def sleep(self) -> None:
        if self.day < 7:  # The month ends.
            self.day += 1

    @rule(process=PROCESSES, rows=ROWS, after=st.integers(1, 12))
    def crash(self, process: int, rows: list[tuple[int, float | None, bool]], after: int) -> None:
        """Die before a statement: what the disk has then is what the next processes find."""
        store, image = self.stores[process], Path(self.folder.name, f"{int(self.home.name) + 1}")
        store.write(RecordBatch(self.now))
        connection = store._open
        assert connection is not None
        # No page is kept back until the end, so that the file holds half of what is written.
        connection.execute("PRAGMA cache_size = 1")
        left = after

        def count(statement: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                shutil.copytree(self.home, image)

        connection.set_trace_callback(count)
        store.write(RecordBatch(self.now, self.calls(rows)))
        if not image.exists():
            shutil.copytree(self.home, image)
            self.take(store, self.calls(rows))
        self.home = image
        self.begin()

    @invariant()
    def all_that_was_written_is_there(self) -> None:
        self.stores[0].write(RecordBatch(self.now))
        found, wanted = UsageReader(self.home / "usage.db").sums(local_day(self.now)), self.spent()
        assert found is not None

        assert found.tokens_today == wanted.tokens_today
        assert found.tokens_this_month == wanted.tokens_this_month
        assert found.money_today.get("USD", 0.0) == wanted.money_today["USD"]
        assert found.money_this_month.get("USD", 0.0) == wanted.money_this_month["USD"]


TestCrashes = Crashes.TestCase
# Each step waits for the disk.
TestCrashes.settings = settings(fuzzed, max_examples=6 * TIMES)
