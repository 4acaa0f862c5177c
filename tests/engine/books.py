"""Stand-ins for the books: a store that lists what it is given, and a thread that is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llm_lsp.core.usage.batch import Batch
from llm_lsp.core.usage.budget import Spent
from llm_lsp.core.usage.records import Call, Suggestion
from llm_lsp.engine.usage.ledger import Memory
from llm_lsp.errors import BooksError


async def inline(function: Callable[..., Any], *arguments: object) -> Any:
    """Call at once."""
    return function(*arguments)


@dataclass
class ListStore:
    """Adds up as the real one does, and fails where it is told to."""

    batches: list[Batch] = field(default_factory=list)
    sums: Memory = field(default_factory=Memory)
    failure: str = ""
    fault: Exception | None = None
    """What no store should raise."""
    n_closed: int = 0
    n_failed: int = 0

    def write(self, batch: Batch) -> Spent:
        if self.fault:
            raise self.fault
        if self.failure:
            self.n_failed += 1
            raise BooksError(self.failure)
        self.batches.append(batch)
        return self.sums.write(batch)

    def reserve(self, call: Call, allows: Callable[[Spent], bool]) -> tuple[bool, Spent]:
        if self.fault:
            raise self.fault
        if self.failure:
            raise BooksError(self.failure)
        return self.sums.reserve(call, allows)

    def close(self) -> None:
        self.n_closed += 1

    @property
    def calls(self) -> list[Call]:
        return [call for batch in self.batches for call in batch.calls]

    @property
    def suggestions(self) -> list[Suggestion]:
        return [row for batch in self.batches for row in batch.suggestions]

    def counted(self) -> dict[str, int]:
        """Sum the counts up over all subjects."""
        sums: dict[str, int] = {}
        for batch in self.batches:
            for (_, what), n in batch.counts.items():
                sums[what] = sums.get(what, 0) + n
        return sums
