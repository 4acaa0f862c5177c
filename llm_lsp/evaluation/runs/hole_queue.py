"""Fills the holes of all variants, as many at a time as their providers take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from llm_lsp.core.skip import Skip
from llm_lsp.evaluation.corpus.holes import Hole
from llm_lsp.evaluation.report.results import HoleResult
from llm_lsp.evaluation.runs.hole_runner import HoleBench, HoleRunner
from llm_lsp.evaluation.runs.variants import Variant

# Failures in a row after which a variant is given up: its key or its model is wrong, and so will be the rest.
MAX_FAILURES = 5
# Holes of one variant before the next one's turn: enough that a small model server has forgotten a hole's text when the
# next variant asks about it, which would be answered sooner than it should.
BATCH = 10

Done = Callable[[HoleResult], None]


@dataclass(frozen=True, slots=True)
class HoleWork:
    """A variant, and the holes that it is still to fill."""

    variant: Variant
    holes: tuple[Hole, ...]


async def run(works: Iterable[HoleWork], bench: HoleBench, done: Done) -> list[str]:
    """Fill all holes; `done` gets each result as it comes. Gives a line for each variant that was given up.

    Providers work at the same time, each within its own limit. Variants of one provider come one after another, a
    few holes each, so that none has its times spoilt by another one's calls, and a run that is interrupted has
    measured all of them alike.
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
    """Cut the work up: the same few holes for each variant that still lacks them, then the next few."""
    holes = list({hole.id: hole for work in works for hole in work.holes}.values())
    for start in range(0, len(holes), BATCH):
        batch = {hole.id for hole in holes[start : start + BATCH]}
        for work in works:
            if mine := tuple(hole for hole in work.holes if hole.id in batch):
                yield HoleWork(work.variant, mine)


async def _fill_all(work: HoleWork, bench: HoleBench, done: Done) -> str:
    """Fill a variant's holes on as many lanes as its provider takes calls; gives why it was given up, or ""."""
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
    """The holes that are left, for several lanes; it ends early where only failures come back."""

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
        """Count a failure, or forget those before."""
        self._failures = self._failures + 1 if result.failed else 0
        if self._failures >= MAX_FAILURES:
            self.fault = f"given up after {MAX_FAILURES} failures in a row: {result.reason}"
