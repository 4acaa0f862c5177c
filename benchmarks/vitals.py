"""What a process uses; Linux only, since elsewhere no process tells how often its threads went on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a process."""

    resident_bytes: int
    descriptors: int
    threads: int
    cpu_s: float
    """Of all its threads, since it began."""
    wakes: int
    """Times that one of its threads had waited and went on."""

    @classmethod
    def of(cls, pid: int) -> Vitals:
        """Look at a process; raises psutil.Error if it is gone."""
        process = psutil.Process(pid)
        threads, times = process.threads(), process.cpu_times()
        return cls(
            resident_bytes=process.memory_info().rss,
            descriptors=process.num_fds(),
            threads=len(threads),
            cpu_s=times.user + times.system,
            # Linux has the counts of each thread, as if it were a process.
            wakes=sum(psutil.Process(each.id).num_ctx_switches().voluntary for each in threads),
        )


def started_in(home: Path) -> Iterator[int]:
    """Yield the processes whose home is a folder: a server and all that it started."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # It ended meanwhile, or belongs to another account.
            if process.environ().get("HOME") == str(home):
                yield process.pid
