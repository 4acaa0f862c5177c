"""How many people a model server carries, in virtual time.

    python -m benchmarks.seats --seats 100                       # one run: what 100 people see
    python -m benchmarks.seats --seats 100 --client plain        # with a client without cache and debounce
    python -m benchmarks.seats --seats 100 --without cache
    python -m benchmarks.seats --capacity                        # the table of seats per replica
    python -m benchmarks.seats --capacity --prefill 12000 --step-ms 8 --target-ms 400

Each seat is a typing session with its pauses, in an engine of its own. The seats share simulated replicas with stated
rates, continuous batching and a prefix cache (`benchmarks/replica.py`). A run always gives the same figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.replica import Hardware, Replica, Work
from benchmarks.seat_clients import CLIENTS, PARTS, Router, Seat, Setup, Wait
from benchmarks.session import Session, session_from
from benchmarks.world import VirtualClock

# Files that are typed, of this repository: each leaves room for a full prompt before the cursor.
FOLDER = Path(__file__).parents[1] / "llm_lsp"
FILES = ("engine/completion/scheduler.py", "config/merge.py", "providers/http/stream.py", "lsp/server.py")
TAIL_SHARE = 0.25
# Virtual seconds of a run, and of its start that does not count: the first prompts are in no cache.
RUN_S, WARM_S = 60.0, 10.0
# When capacity is searched: virtual seconds of all seats together, and bounds of a run. Fewer seats type for longer.
SEARCH_SEAT_S, SHORTEST_S, LONGEST_S = 1200.0, 20.0, 300.0
TARGET_MS = 600.0
MOST_SEATS = 1000


@dataclass(frozen=True, slots=True)
class Figures:
    """What the seats of a run saw, and what it took."""

    seats: int
    replicas: int
    p50_ms: float | None
    """Milliseconds from a keystroke before a pause to its suggestion, if a model had to be asked for it."""
    p95_ms: float | None
    missed_share: float
    """Share of these pauses that ended without one; they count with their length."""
    calls_per_hour: int
    """Of one seat that types all the time."""
    read_per_hour: int
    written_per_hour: int
    cached_share: float
    """Share of the prompt tokens that a replica's prefix cache had."""
    accepted_share: float
    """Share of all characters that came from suggestions."""
    busy_share: float


async def run(
    n_seats: int, n_replicas: int, setup: Setup, hardware: Hardware, run_s: float = RUN_S
) -> Figures:
    """Let so many people type for a while."""
    clock, work = VirtualClock(), Work()
    replicas = [Replica(clock, hardware, work) for _ in range(n_replicas)]
    router = Router(replicas, has_affinity="affinity" not in setup.without)
    seats = [Seat(number, clock, router, setup, session(number)) for number in range(n_seats)]
    # Spread over a second, so that no two type in step.
    tasks = [asyncio.create_task(seat.work(number / n_seats)) for number, seat in enumerate(seats)]
    await clock.until(WARM_S)
    before = replace(work)
    for seat in seats:
        seat.waits.clear()
    await clock.until(WARM_S + run_s)
    for task in tasks:
        task.cancel()
    for seat in seats:
        await seat.aclose()
    return _figures(seats, n_replicas, before, work, run_s)


def session(number: int) -> Session:
    """Return what a seat types."""
    return session_from(FOLDER / FILES[number % len(FILES)], "python", number, 4000, TAIL_SHARE)


def capacity(setup: Setup, hardware: Hardware, target_ms: float, n_replicas: int = 1) -> tuple[int, Figures]:
    """Return the seats per replica for which p95 is within the target, and the figures with these."""

    def measured(seats: int) -> Figures:
        run_s = min(LONGEST_S, max(SHORTEST_S, SEARCH_SEAT_S / seats))
        return asyncio.run(run(seats * n_replicas, n_replicas, setup, hardware, run_s))

    return largest(measured, target_ms, MOST_SEATS)


def largest(measured: Callable[[int], Figures], target_ms: float, most: int) -> tuple[int, Figures]:
    """Return the largest number of seats within the target, to about 10 %."""
    low, high, best = 0, 8, measured(1)
    while high <= most:
        figures = measured(high)
        if not is_within(figures, target_ms):
            break
        low, best, high = high, figures, high * 2
    high = min(high, most + 1)
    while high - low > max(1, low // 10):
        middle = (low + high) // 2
        figures = measured(middle)
        if is_within(figures, target_ms):
            low, best = middle, figures
        else:
            high = middle
    return low, best


def is_within(figures: Figures, target_ms: float) -> bool:
    """Check whether 95 % of the waits are within the target."""
    return figures.p95_ms is not None and figures.p95_ms <= target_ms


def _figures(seats: list[Seat], n_replicas: int, before: Work, work: Work, run_s: float) -> Figures:
    waits = sorted(wait for seat in seats for wait in seat.waits)
    hours = len(seats) * run_s / 3600
    read = work.prompt_tokens - before.prompt_tokens
    typed = sum(seat.tally.keys for seat in seats)
    accepted = sum(seat.tally.accepted_chars for seat in seats)
    return Figures(
        len(seats),
        n_replicas,
        _at(waits, 0.50),
        _at(waits, 0.95),
        round(sum(wait.is_missed for wait in waits) / max(1, len(waits)), 3),
        round((work.calls - before.calls) / hours),
        round(read / hours),
        round((work.written_tokens - before.written_tokens) / hours),
        round((work.cached_tokens - before.cached_tokens) / max(1, read), 3),
        round(accepted / max(1, typed + accepted), 3),
        round((work.busy_s - before.busy_s) / run_s / n_replicas, 2),
    )


def _at(waits: list[Wait], share: float) -> float | None:
    return round(1000 * waits[int((len(waits) - 1) * share)].seconds, 0) if waits else None


def table(hardware: Hardware, target_ms: float) -> None:
    """Print the seats per replica of each client and of the engine without each of its parts."""
    print(
        f"| client | seats per replica at p95 <= {target_ms:.0f} ms | p50 ms | calls | read | written | cached |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    setups = [*(Setup(name) for name in CLIENTS), *(Setup(without=frozenset({part})) for part in PARTS)]
    for setup in setups:
        n_replicas = 2 if "affinity" in setup.without else 1
        seats, each = capacity(setup, hardware, target_ms, n_replicas)
        cells = (
            each.p50_ms,
            each.calls_per_hour,
            each.read_per_hour,
            each.written_per_hour,
            each.cached_share,
        )
        print(f"| {setup.name} | {seats} | {' | '.join(map(str, cells))} |", flush=True)


def main() -> None:
    """Run, and print one JSON object or the table."""
    usual = Hardware()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seats", type=int, default=20, help=f"1 to {MOST_SEATS}")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--client", choices=CLIENTS, default="engine")
    parser.add_argument("--without", choices=PARTS, action="append", default=[])
    parser.add_argument(
        "--capacity", action="store_true", help="search the seats per replica, and print a table"
    )
    parser.add_argument("--target-ms", type=float, default=TARGET_MS, help="of p95")
    parser.add_argument("--seconds", type=float, default=RUN_S, help="virtual length of a run")
    parser.add_argument(
        "--prefill", type=float, default=usual.prefill_tokens_per_s, help="tokens read a second"
    )
    parser.add_argument(
        "--step-ms", type=float, default=1e3 * usual.step_s, help="of a token of a single call"
    )
    parser.add_argument("--call-ms", type=float, default=1e3 * usual.call_s, help="more for each call")
    parser.add_argument("--max-calls", type=int, default=usual.max_calls)
    parser.add_argument("--cache-tokens", type=int, default=usual.cache_tokens)
    options = parser.parse_args()
    hardware = Hardware(
        options.prefill,
        options.step_ms / 1e3,
        options.call_ms / 1e3,
        max_calls=options.max_calls,
        cache_tokens=options.cache_tokens,
    )
    if options.capacity:
        table(hardware, options.target_ms)
        return
    setup = Setup(options.client, frozenset(options.without))
    n_seats = min(max(1, options.seats), MOST_SEATS)
    figures = asyncio.run(run(n_seats, options.replicas, setup, hardware, options.seconds))
    print(json.dumps(asdict(figures), indent=1))


if __name__ == "__main__":
    main()
