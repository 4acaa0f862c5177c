"""What a process uses, as Linux tells it in /proc; knows nothing of what the process does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


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
        """Look at a process; raises OSError where it is gone."""
        root = Path("/proc", str(pid))
        threads = list((root / "task").iterdir())
        # The fields after the name, which may hold blanks: utime and stime are the 14th and 15th of all (proc(5)).
        ticks = (root / "stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(
            resident_bytes=1024 * _number(root / "status", "VmRSS"),
            descriptors=len(list((root / "fd").iterdir())),
            threads=len(threads),
            cpu_s=sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
            wakes=sum(_number(thread / "status", "voluntary_ctxt_switches") for thread in threads),
        )


def _number(path: Path, name: str) -> int:
    lines = path.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def started_in(home: Path) -> Iterator[int]:
    """Give the processes whose home is a folder: a server and all that it started."""
    wanted = f"HOME={home}".encode()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
        except OSError:
            pass  # It ended meanwhile, or is somebody else's.
