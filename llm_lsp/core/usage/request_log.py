"""The result of each stage of a request, for `explain`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One stage: its result, and how long it took."""

    stage: str
    words: str
    ms: float


@dataclass(slots=True)
class RequestLog:
    """The stages that a request has completed; written by the pipeline that answers it."""

    taken: list[LogEntry] = field(default_factory=list)
    generation_id: int | None = None
    """The generation that answers it."""
    is_known: bool = False
    """Whether that generation was cached."""
    left_at: float | None = None

    def left(self, stage: str, words: str, now: float) -> None:
        """Record a stage's result; `now` in seconds of the engine's clock."""
        began = now if self.left_at is None else self.left_at
        self.taken.append(LogEntry(stage, words, round((now - began) * 1000, 2)))
        self.left_at = now
