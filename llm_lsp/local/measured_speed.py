"""Records how fast this machine runs a model; `thread_tuning` measures it."""

from __future__ import annotations

import contextlib
import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_lsp import system

# Tokens per batch. A closed request stops only between two batches, so a batch should take about a second to read:
# with 2,048 a cancelled prompt kept the model busy for 18.9 s, with 128 for 1.6 s, at the same 70 tokens a second
# (ADR 4). Below 64 reading itself slows down, by a fifth.
_LEAST_BATCH, _MOST_BATCH, _UNMEASURED_BATCH = 64, 2048, 128


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """One measurement of a model."""

    threads: int
    prompt_tokens_per_s: float
    tokens_per_s: float

    @property
    def time_s(self) -> float:
        """Return the seconds for a typical answer: 100 new prompt tokens read, 16 tokens written."""
        return 100 / self.prompt_tokens_per_s + 16 / self.tokens_per_s


def unmeasured_threads(cores: int) -> int:
    """Return the number of threads to use before measuring: one if there are fewer than 4 cores, since other programs need them too."""
    return 1 if cores < 4 else cores // 2


def batch_tokens(speed: MeasuredSpeed | None) -> int:
    """Return the batch size for the model server: the power of two closest to a second of reading."""
    if speed is None:
        return _UNMEASURED_BATCH
    batch = _LEAST_BATCH
    while batch * 2 <= min(speed.prompt_tokens_per_s * 1.5, _MOST_BATCH):
        batch *= 2
    return batch


class SpeedRecords:
    """The measurements on this machine, in one file; an unreadable file counts as empty."""

    def __init__(self, path: Path, cores: int | None = None) -> None:
        self._path = path
        # Part of the key: several machines may share a home folder, and a machine's number of cores can change.
        self._machine = f"{platform.node()}/{cores or system.available_cores()}"

    def get(self, model: str) -> MeasuredSpeed | None:
        """Return the measurement of a model on this machine, or None."""
        entry = self._read().get(f"{self._machine}/{model}")
        try:
            return MeasuredSpeed(**entry) if isinstance(entry, dict) else None
        except TypeError:
            return None

    def threads(self, model: str) -> int | None:
        """Return the best number of threads for a model: from its own measurement, else from another model's."""
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
        """Store a measurement; if the file cannot be written, it will be repeated another time."""
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
