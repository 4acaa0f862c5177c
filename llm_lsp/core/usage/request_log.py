"""What a request meets on its way, noted stage by stage; knows nothing of the stages."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One stage: what was found there, and how long it took."""

    stage: str
    words: str
    ms: float


@dataclass(slots=True)
class RequestLog:
    """Travels with one request, and is written to by every stage that it leaves."""

    taken: list[LogEntry] = field(default_factory=list)
    generation_id: int | None = None
    """The generation whose text answers it."""
    is_known: bool = False
    """That generation was there already."""
    left_at: float | None = None

    def left(self, stage: str, words: str, now: float) -> None:
        """Take note of what a stage found; `now` in seconds of the engine's clock."""
        began = now if self.left_at is None else self.left_at
        self.taken.append(LogEntry(stage, words, round((now - began) * 1000, 2)))
        self.left_at = now
