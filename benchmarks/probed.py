"""The server with a probe in its event loop: how late the loop comes to things, and how many tasks it has.

python -m benchmarks.probed FILE           serves, and writes a line to FILE every 20 ms
python -m benchmarks.probed FILE --bare    the same in a loop that does nothing else: the machine's own lateness
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from llm_lsp.cli.commands.server import command
from llm_lsp.lsp import stdio as run
from llm_lsp.lsp.server import Build

STEP_S = 0.02


@dataclass(frozen=True, slots=True)
class Look:
    """What the probe saw once."""

    late_ms: float
    tasks: int
    worked_ms: float
    """Processor time of the whole process since the last look: it was late by no more than this on its own account."""

    @property
    def own_late_ms(self) -> float:
        """How late it was by its own work, on however busy a machine."""
        return min(self.late_ms, self.worked_ms)


async def probe(path: Path) -> None:
    """Write looks until cancelled."""
    loop = asyncio.get_running_loop()
    with path.open("w", buffering=1) as file:
        while True:
            due, worked = loop.time() + STEP_S, time.process_time()
            await asyncio.sleep(STEP_S)
            late_ms, worked_ms = 1e3 * (loop.time() - due), 1e3 * (time.process_time() - worked)
            file.write(f"{late_ms:.3f} {len(asyncio.all_tasks())} {worked_ms:.3f}\n")


def looks(path: Path) -> list[Look]:
    """Read what a probe wrote until now."""
    # The last line may not be whole yet.
    lines = path.read_text().split("\n")[:-1]
    return [Look(float(late), int(tasks), float(worked)) for late, tasks, worked in map(str.split, lines)]


def main() -> None:
    """Serve as `llm-lsp server` does, or do nothing, with the probe."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    if options.bare:
        asyncio.run(probe(options.file))
    serve = run.serve

    async def serve_probed(build: Build, stdin: BinaryIO, stdout: BinaryIO) -> int:
        task = asyncio.create_task(probe(options.file))
        try:
            return await serve(build, stdin, stdout)
        finally:
            task.cancel()

    run.serve = serve_probed
    command([])


if __name__ == "__main__":
    main()
