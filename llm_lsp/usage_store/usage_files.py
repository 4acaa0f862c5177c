"""The usage store's two files as the engine sees them: rows in one, what was spent in the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from llm_lsp.core.usage.budget import Reservation, SpentTotals
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord
from llm_lsp.usage_store.reader import UsageReader
from llm_lsp.usage_store.spent_file import SpentFile
from llm_lsp.usage_store.store import SqliteUsageStore


class UsageFiles:
    """The `UsageStore` of a process; its methods block, may be called from any thread, and raise BooksError."""

    def __init__(self, path: Path) -> None:
        """`path` is the rows' file; the other one stands beside it."""
        self._spent = SpentFile(path.with_name("spent.json"), UsageReader(path))
        # With neither file it is unknown what was spent: one that cannot be read stays until its user deletes it.
        self._rows = SqliteUsageStore(path, self._spent.is_readable)

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord] = ()
    ) -> Reservation:
        """See SpentFile."""
        return self._spent.reserve(call, allows, settled)

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        """See SpentFile."""
        return self._spent.settle(at, calls)

    def write(self, batch: RecordBatch) -> None:
        """See SqliteUsageStore."""
        self._rows.write(batch)

    def close(self) -> None:
        """Close what is open; it is opened again at the next use."""
        self._rows.close()
