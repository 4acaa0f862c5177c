"""Completes the holes of all variants, as many at a time as their providers allow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from llm_lsp.core.skip import Skip
from llm_lsp.evaluation.corpus.hole_selection import Hole
from llm_lsp.evaluation.report.results import HoleResult
from llm_lsp.evaluation.runs.hole_runner import HoleBench, HoleRunner
from llm_lsp.evaluation.runs.variants import Variant

# Consecutive failures after which a variant is stopped: its key or model is wrong, so the rest would fail too.
MAX_FAILURES = 5
# Holes of one variant before the next one's turn: enough that a small model server no longer caches a hole's text when
# the next variant gets it, which would make that one's answer faster than it should be.
BATCH = 10

Done = Callable[[HoleResult], None]


@dataclass(frozen=True, slots=True)
class HoleWork:
    """A variant, and the holes it still has to complete."""

    variant: Variant
    holes: tuple[Hole, ...]


async def run(works: Iterable[HoleWork], bench: HoleBench, done: Done) -> list[str]:
    """Complete all holes; `done` receives each result. Returns a message for each variant that was stopped.

    Different providers work at the same time, each within its own limit. Variants of the same provider take
    turns with a few holes each, so that their calls do not slow each other down, and an interrupted run has
    measured all of them equally.
    """
    by_provider: dict[str, list[HoleWork]] = {}
    for work in works:
        by_provider.setdefault(work.variant.provider, []).append(work)
    faults = await asyncio.gather(*(_in_turn(turn, bench, done) for turn in by_provider.values()))
    return [fault for several in faults for fault in several]


async def _in_turn(works: list[HoleWork], bench: HoleBench, done: Done) -> list[str]:
    faults: dict[str, str] = {}
    for work in in_batches(works):
        if work.variant.name not in faults and (fault := await _fill_all(work, bench, done)):
            faults[work.variant.name] = fault
    return [f"{name}: {fault}" for name, fault in faults.items()]


def in_batches(works: Sequence[HoleWork]) -> Iterator[HoleWork]:
    """Divide the work: the same few holes for each variant that still needs them, then the next few."""
    holes = list({hole.id: hole for work in works for hole in work.holes}.values())
    for start in range(0, len(holes), BATCH):
        batch = {hole.id for hole in holes[start : start + BATCH]}
        for work in works:
            if mine := tuple(hole for hole in work.holes if hole.id in batch):
                yield HoleWork(work.variant, mine)


async def _fill_all(work: HoleWork, bench: HoleBench, done: Done) -> str:
    """Complete a variant's holes, in parallel as far as its provider allows; return why it was stopped, or ""."""
    async with AsyncExitStack() as exits:

        async def lane() -> HoleRunner:
            return await exits.enter_async_context(HoleRunner.opened(work.variant, bench))

        first = await lane()
        slots = await first.slots(work.holes[0])
        if isinstance(slots, Skip):
            return slots.detail or slots.reason.value
        lanes = [first, *[await lane() for _ in range(min(slots, len(work.holes)) - 1)]]
        queue = HoleQueue(work.holes)
        await asyncio.gather(*(_work_off(queue, one, done) for one in lanes))
        return queue.fault


async def _work_off(queue: HoleQueue, lane: HoleRunner, done: Done) -> None:
    for hole in queue:
        result = await lane.fill(hole)
        queue.note(result)
        done(result)


class HoleQueue:
    """The remaining holes, shared by parallel runners; it ends early if only failures are reported."""

    def __init__(self, holes: Iterable[Hole]) -> None:
        self._holes = iter(holes)
        self._failures = 0
        self.fault = ""
        """Why it ended early."""

    def __iter__(self) -> Iterator[Hole]:
        while not self.fault:
            hole = next(self._holes, None)
            if hole is None:
                return
            yield hole

    def note(self, result: HoleResult) -> None:
        """Count a failure, or reset the count after a success."""
        self._failures = self._failures + 1 if result.failed else 0
        if self._failures >= MAX_FAILURES:
            self.fault = f"stopped after {MAX_FAILURES} consecutive failures: {result.reason}"
