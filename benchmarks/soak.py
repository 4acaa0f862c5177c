"""A server's long life, by its process: what stays behind after much of something.

    python -m benchmarks.soak day|storm|crash|idle|documents|servers|repositories

Each prints its figures beside their bounds and ends with 1 where one is passed. Linux only, since it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.soak_day import EDITS, HURRY, a_day
from benchmarks.soak_hostile import hostile_repositories, hostile_servers
from benchmarks.soak_loads import cancel_storm, crash_loop, idle, many_documents
from benchmarks.soak_rig import Figure


@dataclass(frozen=True, slots=True)
class Soak:
    """One load: its default amount, and the unit of that."""

    run: Callable[..., Coroutine[None, None, Sequence[Figure]]]
    amount: int
    unit: str


SOAKS: Mapping[str, Soak] = {
    "day": Soak(a_day, EDITS, "edits"),
    "storm": Soak(cancel_storm, 7000, "requests that are cancelled"),
    "crash": Soak(crash_loop, 50, "kills"),
    "idle": Soak(idle, 600, "seconds"),
    "documents": Soak(many_documents, 2000, "documents of 100 KB that are opened and closed"),
    "servers": Soak(hostile_servers, 3, "requests to each hostile model API"),
    "repositories": Soak(hostile_repositories, 3, "requests in each hostile folder"),
}


def main() -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="what")
    for name, soak in SOAKS.items():
        command = commands.add_parser(name)
        command.add_argument("amount", nargs="?", type=int, default=soak.amount, help=soak.unit)
        if soak.run is a_day:
            command.add_argument("--hurry", type=float, default=HURRY, help="times faster than it was typed")
    options = vars(parser.parse_args())
    soak = SOAKS[options.pop("what")]
    figures = asyncio.run(soak.run(options.pop("amount"), **options))
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
