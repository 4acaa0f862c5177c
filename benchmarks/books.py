"""The books under stress: many writers, kills, and a budget that all of them share.

`python -m benchmarks.books` prints what docs/adr/0021 promises beside what was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.config.settings import BudgetConfig
from llm_lsp.core.generation import Usage
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord, Outcome, Subject
from llm_lsp.engine.client.interface import Level, Progress, Status
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import LoopClock
from llm_lsp.engine.usage.budget_guard import limits_of
from llm_lsp.engine.usage.ledger import Ledger
from llm_lsp.errors import BudgetError
from llm_lsp.usage_store.store import SqliteUsageStore
from llm_lsp.usage_store.usage_files import UsageFiles

SUBJECT = Subject("mine", "m", "python", "web")
# Seconds between two calls of a writer that is to be killed.
PACE_S = 0.005
# Refusals in a row after which a spender stops, and seconds that it waits after each: longer than a settled call waits
# to be written.
MAX_REFUSED, REFUSED_S = 4, 0.25


class Deaf:
    """An editor that shows nothing."""

    name = "none"
    has_inline = False
    offers_models = False

    def show(self, level: Level, text: str) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def status(self, status: Status) -> None: ...


def a_call(number: int, cost: float, outcome: Outcome = "complete") -> CallRecord:
    usage = Usage(number % 1000, 7)
    return CallRecord(number, time.time(), SUBJECT, "automatic", usage, False, cost, "USD", False, outcome)


def ledger_of(path: Path, budget: BudgetConfig | None = None) -> Ledger:
    clock = LoopClock()
    deaf = Deaf()
    ledger = Ledger(
        UsageFiles(path), Notifications(deaf, clock.now), ServerStatus(deaf, clock), clock, time.time
    )
    ledger.configure(limits_of(budget or BudgetConfig()), save=True)
    return ledger


# What the processes do


def write_rows(path: Path, n_rows: int) -> None:
    """Write rows in batches of 20, as fast as it goes."""
    store = SqliteUsageStore(path)
    for first in range(1, n_rows + 1, 20):
        calls = tuple(a_call(number, 0.001) for number in range(first, min(first + 20, n_rows + 1)))
        store.write(RecordBatch(time.time(), calls))
    store.close()


async def settle_for_ever(path: Path) -> None:
    """Settle a call every few milliseconds, and say when."""
    ledger = ledger_of(path)
    number = 0
    while True:
        number += 1
        ledger.settle(a_call(number, 0.001))
        print(number, time.monotonic(), flush=True)
        await asyncio.sleep(PACE_S)


async def spend_all(path: Path) -> None:
    """Make calls until the budget says no and goes on saying it, and say how many."""
    ledger = ledger_of(path, BudgetConfig(per_day=1.0))
    number = made = refused = 0
    # What others have set aside for their last calls is free again when those have ended and are written.
    while refused < MAX_REFUSED:
        number += 1
        try:
            await ledger.reserve(a_call(number, 0.02, "reserved"))
        except BudgetError:
            refused += 1
            await asyncio.sleep(REFUSED_S)
        else:
            await asyncio.sleep(random.random() * 0.01)
            ledger.settle(a_call(number, 0.01))
            made, refused = made + 1, 0
    await ledger.aclose()
    print(made, flush=True)


# What is measured


@dataclass(frozen=True, slots=True)
class Kill:
    """One writer's end."""

    settled: int
    found: int
    lost_s: float
    """From the first call that was lost to the kill."""
    is_sound: bool


def many_writers(path: Path, n_processes: int = 6, n_rows: int = 10_000) -> Mapping[str, object]:
    """Let processes write at once; the sums must be those of all rows."""
    each = n_rows // n_processes
    began = time.monotonic()
    writers = [start("rows", path, each) for _ in range(n_processes)]
    for writer in writers:
        writer.communicate()
    seconds = time.monotonic() - began
    expected = n_processes * each
    with closing(sqlite3.connect(path)) as connection:
        rows, tokens = connection.execute("SELECT count(*), sum(input + output) FROM calls").fetchone()
        (daily,) = connection.execute("SELECT sum(tokens) FROM daily").fetchone()
    wanted = n_processes * sum(number % 1000 + 7 for number in range(1, each + 1))
    is_exact = (rows, tokens, daily) == (expected, wanted, wanted)
    return {
        "failed": sum(bool(writer.returncode) for writer in writers),
        "rows": rows,
        "exact": is_exact,
        "seconds": round(seconds, 1),
    }


def kills(path: Path, count: int = 50) -> list[Kill]:
    """Kill a writer, again and again, and look what it left."""
    return [kill_one(path) for _ in range(count)]


def kill_one(path: Path) -> Kill:
    writer = start("settle", path, 0)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(random.uniform(0.05, 0.8))
    writer.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    lines = [line.split() for line in writer.communicate()[0].splitlines() if line.count(" ") == 1]
    with closing(sqlite3.connect(path)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        newest = (
            "SELECT count(*) FROM calls WHERE session = (SELECT session FROM calls ORDER BY at DESC LIMIT 1)"
        )
        # Killed before the first rows were written, it left a file without a table.
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'calls'").fetchone()
        (found,) = connection.execute(newest).fetchone() if lines and tables != (0,) else (0,)
    settled = {int(number): float(at) for number, at in lines}
    lost = [at for number, at in settled.items() if number > found]
    return Kill(len(settled) + 1, found, killed_at - min(lost) if lost else 0.0, sound)


def shared_budget(path: Path, n_processes: int = 6) -> Mapping[str, object]:
    """Let processes spend one budget of 1.00 by calls of 0.01; how far they get past it is the measure."""
    spenders = [start("spend", path, 0) for _ in range(n_processes)]
    made = sum(int(spender.communicate()[0]) for spender in spenders)
    return {"calls": made, "calls_over": max(0, made - 100)}


def start(what: str, path: Path, n_rows: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.books", what, str(path), str(n_rows)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure() -> None:
    """Print all of it."""
    with tempfile.TemporaryDirectory() as folder:
        print("6 processes:", dict(many_writers(Path(folder) / "rows" / "usage.db")))
        ends = kills(Path(folder) / "kills" / "usage.db")
        print(
            f"{len(ends)} kills: corrupt {sum(not end.is_sound for end in ends)}, "
            f"lost at most {max(end.lost_s for end in ends) * 1000:.0f} ms"
        )
        print("budget:", dict(shared_budget(Path(folder) / "budget" / "usage.db")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("rows", "settle", "spend"))
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("n_rows", nargs="?", type=int, default=0)
    arguments = parser.parse_args()
    work: Mapping[str, Callable[[], object]] = {
        "rows": lambda: write_rows(arguments.path, arguments.n_rows),
        "settle": lambda: asyncio.run(settle_for_ever(arguments.path)),
        "spend": lambda: asyncio.run(spend_all(arguments.path)),
    }
    work.get(arguments.what, measure)()


if __name__ == "__main__":
    main()
