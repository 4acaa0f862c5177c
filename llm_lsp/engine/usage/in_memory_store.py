"""A usage store in memory: it enforces a budget, but keeps no records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_lsp.core.usage.budget import CountedCall, Reservation, SpentTotals, local_day
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord

# Calls whose cost may still change.
MOST_COUNTED = 1000


class InMemoryUsageStore:
    """See `UsageStore`."""

    def __init__(self) -> None:
        self._spent = SpentTotals()
        self._counted: dict[int, CountedCall] = {}

    def write(self, batch: RecordBatch) -> None:
        """Discard the records."""

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord]
    ) -> Reservation:
        """Count a call if `allows` accepts the amounts spent."""
        self.settle(call.at, settled)
        is_allowed = allows(self._spent)
        if is_allowed:
            self._count(call)
        return Reservation(is_allowed, self._spent)

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        """Count ended calls."""
        self._spent = self._spent.on(local_day(at))
        for call in calls:
            self._count(call)
        return Reservation(True, self._spent)

    def close(self) -> None:
        """Do nothing."""

    def _count(self, call: CallRecord) -> None:
        old = self._counted.get(call.number)
        self._spent = self._spent.with_call(call, old)
        self._counted[call.number] = CountedCall(call, old.day if old else self._spent.day)
        if len(self._counted) > MOST_COUNTED:
            del self._counted[next(iter(self._counted))]
