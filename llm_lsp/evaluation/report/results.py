"""The result of each hole, and the file that stores them, so that an interrupted run can continue."""

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
    """The model that answered."""
    input_tokens: int = 0
    output_tokens: int = 0
    money: float | None = None
    """None if no price is known."""
    currency: str = ""
    first_s: float | None = None
    """Seconds from the call to its first text; None if there was none."""
    whole_s: float = 0.0
    """Seconds from the request to the answer."""


@dataclass(frozen=True, slots=True)
class HoleResult:
    """One variant's result for one hole."""

    variant: str
    """The variant's key."""
    hole: str
    """The hole's id."""
    place: str
    """PATH:LINE:COLUMN, 1-based."""
    language: str
    kind: str
    spot: str
    expected: str
    answer: str
    reason: str
    """Why there is no answer, "" if there is one."""
    failed: bool
    """Whether the call failed; it says nothing about the model, and is repeated in the next run."""
    score: Score
    cost: HoleCost
    asked: str = ""
    """Identifies the prompt across variants; "" if no call was made."""


Known = dict[tuple[str, str], HoleResult]
"""Results by variant and hole."""


class ResultFile:
    """A JSON Lines file with one result per line; invalid lines are ignored, such as one cut off by a killed
    run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Known:
        """Return the stored results, without failed ones."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return {}
        results = filter(None, map(_result_of, lines))
        return {(result.variant, result.hole): result for result in results if not result.failed}

    def add(self, result: HoleResult) -> None:
        """Append a result; the folder must exist."""
        line = json.dumps(dataclasses.asdict(result), ensure_ascii=False).encode("utf-8", "replace")
        with self.path.open("ab") as file:
            # A leading line feed separates it from an incomplete line that a killed run may have left.
            file.write(b"\n" + line + b"\n")

    def clear(self) -> None:
        """Delete all results."""
        self.path.unlink(missing_ok=True)


def _result_of(line: str) -> HoleResult | None:
    try:
        fields = json.loads(line)
        return HoleResult(**{**fields, "score": Score(**fields["score"]), "cost": HoleCost(**fields["cost"])})
    except (ValueError, TypeError, KeyError):
        return None
