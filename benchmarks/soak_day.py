"""A heavy day of typing in minutes: sessions one after another, with a model API that fails now and then."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import benchmarks
from benchmarks.model_api import ModelApi
from benchmarks.probed import looks
from benchmarks.process import ProcessDesk
from benchmarks.session import Manuscript, session_from
from benchmarks.soak_rig import MEBIBYTE, Figure, Rig, a_home, calls_in_books, percentile, rig, settings_of
from benchmarks.typist import Typist
from benchmarks.vitals import Vitals
from benchmarks.world import Model
from llm_lsp.core.text.text import Edit

# The busiest recorded day had as many.
EDITS = 44_000
# Mean seconds between two edits as they were recorded, pauses included.
GAP_S = 0.26
# Times faster than they were recorded: a day in a quarter of an hour.
HURRY = EDITS * GAP_S / 900
# Edits after which the caches are full, and memory must not grow any more.
WARM_UP_EDITS = 4000
FAULT_SHARE = 0.05
DEBOUNCE_S = 0.15
SAMPLE = Path(benchmarks.__file__).with_name("sample.txt")


class HurriedDesk(ProcessDesk):
    """A desk where time passes so many times faster, for the typist as for the model."""

    hurry = 1.0

    def now(self) -> float:
        return super().now() * self.hurry

    async def until(self, when: float) -> None:
        """Wait, and let others work even where it is late."""
        await asyncio.sleep(max(0.0, (when - self.now()) / self.hurry))


class Day:
    """One typist, one session after another."""

    def __init__(self, hurry: float) -> None:
        model = Model(first_s=0.2 / hurry, tokens_per_s=60 * hurry)
        self.api = ModelApi(model, self._foretell, FAULT_SHARE)
        self.edits = self.astray = 0
        self.hurry = hurry
        self._manuscript: Manuscript | None = None

    def _foretell(self, prompt: str) -> tuple[str, int]:
        assert self._manuscript is not None
        return self._manuscript.foretell(prompt)

    async def type_session(self, it: Rig, number: int) -> None:
        """Type one file, and look at the end whether the server has it as it was typed."""
        self._manuscript = manuscript = Manuscript(session_from(SAMPLE, "python", number, 10_000))
        desk = HurriedDesk(it.client, self.api, manuscript, f"file:///project/session_{number}.py")
        desk.hurry = self.hurry
        await Typist(manuscript, desk).run()
        self.edits += len(manuscript.session.keys)
        await self._compare(desk, manuscript, number)
        it.client.notify("textDocument/didClose", {"textDocument": {"uri": desk.uri}})

    async def _compare(self, desk: HurriedDesk, manuscript: Manuscript, number: int) -> None:
        """Ask at a place that no answer is there for: the prompt must end as the text does."""
        written = str(manuscript.text)[-500:]
        for attempt in range(5):
            mark = f"\nmark_{number}_{attempt} ="
            edit: Edit = manuscript.write(0, mark)
            desk.change(manuscript.text, edit)
            written += mark
            await desk.ask()
            if self.api.prompt.endswith(written):
                return
        self.astray += 1


async def a_day(n_edits: int, hurry: float = HURRY) -> Sequence[Figure]:
    """Type so many edits, in whole sessions."""
    day = Day(hurry)
    async with day.api.serving():
        return await _measured(day, n_edits)


async def _measured(day: Day, n_edits: int) -> Sequence[Figure]:
    settings = settings_of(
        day.api.url.removesuffix("/v1"), debounce_ms=max(1, round(1000 * DEBOUNCE_S / day.hurry))
    )
    seen: list[tuple[int, Vitals]] = []
    async with bare_probe() as floor, rig(settings) as it:
        await day.type_session(it, 0)
        n_first = len(it.looks())
        for number in count(1):
            await day.type_session(it, number)
            seen.append((day.edits, it.vitals()))
            if day.edits >= n_edits:
                break
        tasks = await it.tasks_after()
        late_ms = [look.late_ms for look in it.looks()]
        rows = calls_in_books(it.home)
        floor_ms = [look.late_ms for look in looks(floor)]
    return [
        *_counts(day, rows),
        *_memory(seen),
        Figure("event loop late in the first session, ms, longest", max(late_ms[:n_first])),
        *_lateness("event loop late", late_ms[n_first:], (20, 150)),
        *_lateness("a loop that does nothing late", floor_ms),
        Figure("tasks", tasks),
    ]


def _counts(day: Day, rows: int) -> Sequence[Figure]:
    calls = len(day.api.written)
    return [
        Figure("edits", day.edits),
        Figure("calls", calls),
        Figure("calls that failed", day.api.faults),
        Figure("calls at once", day.api.most_active, 2),
        Figure("answered calls that the books do not have", max(0, calls - day.api.unanswered - rows), 0),
        Figure("calls in the books that were closed on their way", max(0, rows - calls)),
        Figure("share of calls that repeat the one before", day.api.repeated / max(1, calls), 0.1),
        Figure("sessions whose text went astray", day.astray, 0),
    ]


def _memory(seen: Sequence[tuple[int, Vitals]]) -> Sequence[Figure]:
    warm = next((each for each in seen if each[0] >= WARM_UP_EDITS), seen[0])
    (edits, last), (edits_then, then) = seen[-1], seen[len(seen) * 3 // 4 - 1]
    slope = (last.resident_bytes - then.resident_bytes) / max(1, edits - edits_then)
    return [
        Figure("MiB at the end", last.resident_bytes / MEBIBYTE),
        Figure("MiB more after the warm-up", (last.resident_bytes - warm[1].resident_bytes) / MEBIBYTE, 10),
        Figure("bytes an edit, last quarter", slope, 200),
        Figure("descriptors more", last.descriptors - warm[1].descriptors, 2),
        Figure("threads more", last.threads - warm[1].threads, 0),
    ]


def _lateness(
    what: str, late_ms: list[float], most_ms: tuple[float | None, float | None] = (None, None)
) -> Sequence[Figure]:
    return [
        Figure(f"{what}, ms, median", percentile(late_ms, 0.5)),
        Figure(f"{what}, ms, 99 of 100", percentile(late_ms, 0.99), most_ms[0]),
        Figure(f"{what}, ms, longest", max(late_ms), most_ms[1]),
    ]


@asynccontextmanager
async def bare_probe() -> AsyncIterator[Path]:
    """Let a probe look at a loop that does nothing, until the block ends."""
    with a_home() as home:
        path = home / "floor.txt"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.probed", str(path), "--bare"
        )
        try:
            yield path
        finally:
            process.terminate()
            await process.wait()
