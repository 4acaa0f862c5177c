"""Combines the usage store's two files for the engine: the database, and the amounts spent."""

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
    """A process's `UsageStore`. The methods block, may be called from any thread, and raise BooksError."""

    def __init__(self, path: Path) -> None:
        """`path` is the database; the other file is next to it."""
        self._spent = SpentFile(path.with_name("spent.json"), UsageReader(path))
        # If neither file can be read, the amounts spent are unknown: keep both until the user deletes one.
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
        """Close open files; the next use opens them again."""
        self._rows.close()
