"""How fast this machine runs a model, as measured once: which number of threads, how many tokens a second.

Holds the record and the choice; runs no model itself.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_lsp import system

# Fewer threads within this part of the best time are taken: on a shared machine the gain of one more is not
# there tomorrow, and the editor needs the core.
_WORTH_A_THREAD = 0.9

# Tokens. A closed call frees the model only between two batches, so a batch is what is read in about a second:
# with 2,048 a cancelled prompt held the model for 18.9 s here, with 128 for 1.6 s, at the same 70 tokens a
# second (docs/adr/0004). Below 64 reading itself gets slower, by a fifth.
_LEAST_BATCH, _MOST_BATCH, _UNMEASURED_BATCH = 64, 2048, 128


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """One measurement of a model."""

    threads: int
    prompt_tokens_per_s: float
    tokens_per_s: float

    @property
    def time_s(self) -> float:
        """Seconds of a usual answer: 100 new tokens of prompt read, 16 written."""
        return 100 / self.prompt_tokens_per_s + 16 / self.tokens_per_s


def candidates(cores: int) -> list[int]:
    """List the numbers of threads worth a measurement, ascending."""
    return sorted({threads for threads in (1, 2, cores // 2) if 1 <= threads <= cores})


def choose(speeds: Sequence[MeasuredSpeed]) -> MeasuredSpeed:
    """Return the fastest, or one with fewer threads that is nearly as fast; `speeds` is not empty."""
    best = min(speed.time_s for speed in speeds)
    return min(
        (speed for speed in speeds if speed.time_s * _WORTH_A_THREAD <= best), key=lambda speed: speed.threads
    )


def unmeasured_threads(cores: int) -> int:
    """Return the number of threads before a measurement: one below 4 cores, since a second waits on whatever else runs."""
    return 1 if cores < 4 else cores // 2


def batch_tokens(speed: MeasuredSpeed | None) -> int:
    """Return the model server's batch: a power of two near a second of reading."""
    if speed is None:
        return _UNMEASURED_BATCH
    batch = _LEAST_BATCH
    while batch * 2 <= min(speed.prompt_tokens_per_s * 1.5, _MOST_BATCH):
        batch *= 2
    return batch


class SpeedRecords:
    """The measurements of this machine, in one file; a file that cannot be read is empty."""

    def __init__(self, path: Path, cores: int | None = None) -> None:
        self._path = path
        # A home folder may serve several machines, and a machine may be given other cores.
        self._machine = f"{platform.node()}/{cores or system.available_cores()}"

    def get(self, model: str) -> MeasuredSpeed | None:
        """Return what was measured with a model on this machine."""
        entry = self._read().get(f"{self._machine}/{model}")
        try:
            return MeasuredSpeed(**entry) if isinstance(entry, dict) else None
        except TypeError:
            return None

    def threads(self, model: str) -> int | None:
        """Return the threads for a model: its own measurement, else another model's on this machine."""
        own = self.get(model)
        if own:
            return own.threads
        names = [
            key.removeprefix(f"{self._machine}/")
            for key in self._read()
            if key.startswith(f"{self._machine}/")
        ]
        return next((speed.threads for speed in map(self.get, names) if speed), None)

    def put(self, model: str, speed: MeasuredSpeed) -> None:
        """Keep a measurement; where the file cannot be written it is lost, and made again another time."""
        entries = self._read() | {f"{self._machine}/{model}": asdict(speed)}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            system.write_private(self._path, json.dumps(entries, indent=1).encode())

    def _read(self) -> dict[str, object]:
        try:
            entries = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}
