"""Fit how likely an answer is right from the log-probabilities of its tokens.

    python -m benchmarks.confidence             # the fit, and how well it does on sources that it has not seen

`confidence.jsonl` has one line for each place at which an answer of qwen2.5-coder-0.5b could be cut: before a blank in
its first line, and at that line's end. It has no code: the number of the answer, whether the place is the line's end,
whether the answer was right up to there, and the features of `core/response/confidence/estimate.py`. The answers fill
single-line holes of HumanEval and of httpx, flask, requests (Python), express, trpc, zod (JavaScript, TypeScript),
ripgrep, bat (Rust), cobra and gin (Go), and places of the recorded session that README.md describes.

The fit is a logistic regression; each answer has the same weight. Printed are the weights for all sources; then, each
source judged by the others' fit, the area under the ROC curve for whole lines of holes, by language, and how often
answers of a given estimate are right.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("confidence.jsonl")
ITERATIONS = 8
# Keeps weights finite; too small to matter otherwise.
RIDGE = 0.05
BINS = 5


@dataclass(frozen=True, slots=True)
class Cut:
    """A place at which an answer could be cut."""

    source: str
    language: str
    answer: int
    whole: bool
    right: bool
    features: tuple[float, ...]
    """Without the constant."""


def read(path: Path = DATA) -> list[Cut]:
    """Return all places."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [
        Cut(row["source"], row["language"], row["answer"], bool(row["whole"]), bool(row["right"]), (*row["features"],))
        for row in rows
    ]  # fmt: skip


def fit(cuts: Sequence[Cut]) -> list[float]:
    """Return the weights, the constant's first, by Newton's method."""
    sizes = Counter(cut.answer for cut in cuts)
    rows = [((1.0, *cut.features), float(cut.right), 1 / sizes[cut.answer]) for cut in cuts]
    weights = [0.0] * len(rows[0][0])
    for _ in range(ITERATIONS):
        gradient = [RIDGE * weight for weight in weights]
        hessian = [[RIDGE * (row == column) for column in range(len(weights))] for row in range(len(weights))]
        for features, right, share in rows:
            chance = logistic(weights, features)
            slope, curve = share * (chance - right), share * chance * (1 - chance)
            for row, one in enumerate(features):
                gradient[row] += slope * one
                for column, other in enumerate(features):
                    hessian[row][column] += curve * one * other
        weights = [weight - step for weight, step in zip(weights, solved(hessian, gradient), strict=True)]
    return weights


def logistic(weights: Sequence[float], features: Sequence[float]) -> float:
    """Return the estimate."""
    return 1 / (1 + math.exp(-sum(weight * one for weight, one in zip(weights, features, strict=True))))


def solved(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    """Solve a system of linear equations by elimination."""
    rows = [[*row, right] for row, right in zip(matrix, vector, strict=True)]
    for at in range(len(rows)):
        best = max(range(at, len(rows)), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for other in range(len(rows)):
            if other != at:
                factor = rows[other][at] / rows[at][at]
                rows[other] = [one - factor * two for one, two in zip(rows[other], rows[at], strict=True)]
    return [row[-1] / row[at] for at, row in enumerate(rows)]


def unseen(cuts: Sequence[Cut]) -> list[tuple[Cut, float]]:
    """Return each place with its estimate by the other sources' fit."""
    judged = []
    for source in sorted({cut.source for cut in cuts}):
        weights = fit([cut for cut in cuts if cut.source != source])
        judged += [(cut, logistic(weights, (1.0, *cut.features))) for cut in cuts if cut.source == source]
    return judged


def area(judged: Sequence[tuple[Cut, float]]) -> float:
    """Return how often a right place has a higher estimate than a wrong one."""
    right = [chance for cut, chance in judged if cut.right]
    wrong = [chance for cut, chance in judged if not cut.right]
    wins = sum((one > other) + (one == other) / 2 for one in right for other in wrong)
    return wins / (len(right) * len(wrong)) if right and wrong else math.nan


def reliability(judged: Sequence[tuple[Cut, float]]) -> list[dict[str, float]]:
    """Return, by estimate, how many places there are, their mean estimate, and how often they are right."""
    rows = []
    for number in range(BINS):
        within = [(cut, chance) for cut, chance in judged if number / BINS <= chance < (number + 1) / BINS]
        if within:
            mean = sum(chance for _, chance in within) / len(within)
            right = sum(cut.right for cut, _ in within) / len(within)
            rows.append({"places": len(within), "estimate": round(mean, 2), "right": round(right, 2)})
    return rows


def main() -> None:
    """Fit, judge and print one JSON object."""
    cuts = read()
    judged = unseen(cuts)
    holes = [(cut, chance) for cut, chance in judged if "session" not in cut.source]
    whole = [(cut, chance) for cut, chance in holes if cut.whole]
    languages = sorted({cut.language for cut, _ in whole})
    found = {
        "weights": [round(weight, 2) for weight in fit(cuts)],
        "holes": len(whole),
        "area, whole lines": round(area(whole), 3),
        "area, all places": round(area(holes), 3),
        "area, session": round(area([one for one in judged if one not in holes]), 3),
        "area, by language": {
            name: round(area([one for one in whole if one[0].language == name]), 2) for name in languages
        },
        "reliability": reliability(judged),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
