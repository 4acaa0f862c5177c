"""Stand-ins for the books: a store that lists what it is given, and a thread that is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from llm_lsp.core.usage.budget import Reservation, SpentTotals
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord, SuggestionRecord
from llm_lsp.engine.usage.in_memory_store import InMemoryUsageStore
from llm_lsp.errors import BooksError


async def inline(function: Callable[..., Any], *arguments: object) -> Any:
    """Calls at once."""
    return function(*arguments)


def writes(work: Callable[[], object], store: ListStore) -> bool:
    """Return whether work for a thread is the writing of rows."""
    return isinstance(work, partial) and work.func == store.write


@dataclass
class ListStore:
    """Adds up as the real one does, and fails where it is told to: in writing rows, or in all that concerns a budget."""

    batches: list[RecordBatch] = field(default_factory=list)
    sums: InMemoryUsageStore = field(default_factory=InMemoryUsageStore)
    failure: str = ""
    budget_failure: str = ""
    fault: Exception | None = None
    """What no store should raise."""
    n_closed: int = 0
    n_failed: int = 0

    def write(self, batch: RecordBatch) -> None:
        if self.fault:
            raise self.fault
        if self.failure:
            self.n_failed += 1
            raise BooksError(self.failure)
        self.batches.append(batch)

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord]
    ) -> Reservation:
        self._fail_budget()
        return self.sums.reserve(call, allows, settled)

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        self._fail_budget()
        return self.sums.settle(at, calls)

    def _fail_budget(self) -> None:
        if self.budget_failure:
            raise BooksError(self.budget_failure)

    def close(self) -> None:
        self.n_closed += 1

    @property
    def calls(self) -> list[CallRecord]:
        return [call for batch in self.batches for call in batch.calls]

    @property
    def suggestions(self) -> list[SuggestionRecord]:
        return [row for batch in self.batches for row in batch.suggestions]

    def counted(self) -> dict[str, int]:
        """Sum the counts up over all subjects."""
        sums: dict[str, int] = {}
        for batch in self.batches:
            for (_, what), n in batch.counts.items():
                sums[what] = sums.get(what, 0) + n
        return sums
