"""What came of each hole, and the file that keeps it, so that a run can be taken up where it stopped."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.evaluation.report.scoring import Score


@dataclass(frozen=True, slots=True)
class HoleCost:
    """What an answer took."""

    model: str = ""
    """The model that was asked."""
    input_tokens: int = 0
    output_tokens: int = 0
    money: float | None = None
    """None where no price is known."""
    currency: str = ""
    first_s: float | None = None
    """Seconds from the call to its first text; None where none came."""
    whole_s: float = 0.0
    """Seconds from the question to the answer."""


@dataclass(frozen=True, slots=True)
class HoleResult:
    """What one variant made of one hole."""

    variant: str
    """The key of the variant."""
    hole: str
    """The hole's id."""
    place: str
    """PATH:LINE:COLUMN, counted from 1."""
    language: str
    kind: str
    spot: str
    expected: str
    answer: str
    reason: str
    """Why there is no answer, "" where there is one."""
    failed: bool
    """Whether the model could not be asked; that says nothing of the model, and is tried again in the next run."""
    score: Score
    cost: HoleCost
    asked: str = ""
    """Tells what was asked from all else that is; "" where nothing was."""


Known = dict[tuple[str, str], HoleResult]
"""Results by variant and hole."""


class ResultFile:
    """JSON lines, one a result; a line that a killed run left half is ignored, as is all that is no result."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Known:
        """Return the results that are known; a failed one is not."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return {}
        results = filter(None, map(_result_of, lines))
        return {(result.variant, result.hole): result for result in results if not result.failed}

    def add(self, result: HoleResult) -> None:
        """Append one; its folder exists."""
        line = json.dumps(dataclasses.asdict(result), ensure_ascii=False).encode("utf-8", "replace")
        with self.path.open("ab") as file:
            # A half line from a killed run must not take this one with it.
            file.write(b"\n" + line + b"\n")

    def clear(self) -> None:
        """Forget all."""
        self.path.unlink(missing_ok=True)


def _result_of(line: str) -> HoleResult | None:
    try:
        fields = json.loads(line)
        return HoleResult(**{**fields, "score": Score(**fields["score"]), "cost": HoleCost(**fields["cost"])})
    except (ValueError, TypeError, KeyError):
        return None
