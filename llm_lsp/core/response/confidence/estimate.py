"""Estimates how likely an answer is right up to a place, from the log-probabilities of its tokens.

`benchmarks/confidence.py` fits the weights, on committed figures of a real model's answers. On sources that the fit has
not seen, a right whole line has a higher estimate than a wrong one in 0.82 of pairs; the sum of the log-probabilities
alone reaches 0.81, the answer's length 0.56.

The fit is one model's. What users do with what is shown moves the constant, by model, so that the estimate stays
calibrated for other models and other code: see `Calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from llm_lsp.core.generation import TokenLogprobs

Eagerness = Literal["low", "medium", "high"]

# python -m benchmarks.confidence: for 1, the sum of the log-probabilities, the second least of them, whether the first
# token's is unknown, and whether the answer begins a line.
WEIGHTS = (1.21, 1.71, 1.43, -0.63, -0.60)
# Below it, how unlikely a token is makes no difference any more.
LEAST_LOGPROB = -6.0
# An estimate of 0; the exponential of much less would overflow.
LEAST_SCORE = -50.0
# The estimate from which an automatic suggestion is shown. In the recorded session (benchmarks/README.md, user `words`)
# 0.5, 0.35 and 0.15 save 5.7, 7.4 and 7.9 net keys in 100 characters and show 34, 52 and 85 wrong ones; without an
# estimate it is 9.0 and 189.
SHOWN_FROM: Mapping[Eagerness, float] = MappingProxyType({"low": 0.5, "medium": 0.35, "high": 0.15})
# How much one outcome moves the constant, and the most that all do.
RATE, MOST_SHIFT = 0.15, 1.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a user's reactions add to the constant, for one model."""

    shift: float = 0.0

    def seen(self, chance: float, *, right: bool) -> Calibration:
        """Return the calibration after a suggestion with an estimate was typed or accepted, or not."""
        shift = self.shift + RATE * (right - chance)
        return Calibration(max(-MOST_SHIFT, min(MOST_SHIFT, shift)))


def chances(
    logprobs: TokenLogprobs, typed: int, ends: Sequence[int], *, starts_line: bool, shift: float = 0.0
) -> list[float]:
    """Return how likely the text after `typed` is right up to each of `ends`, which ascend."""
    found: list[float] = []
    total, least, second, begun = 0.0, 0.0, 0.0, -1
    starts = (logprobs.start, *logprobs.ends)
    constant, by_sum, by_second, by_unknown, by_start = WEIGHTS
    constant += shift + by_start * starts_line
    tokens = zip(starts, logprobs.ends, logprobs.values, strict=False)
    token = next(tokens, None)
    for end in ends:
        while token is not None and token[0] < end:
            start, stop, value = token
            if stop > typed:
                value = max(value, LEAST_LOGPROB)
                total += value
                least, second = min(least, value), min(second, max(least, value))
                begun = start if begun < 0 else begun
            token = next(tokens, None)
        is_unknown = begun < 0 or begun > typed
        score = constant + by_sum * total + by_second * second + by_unknown * is_unknown
        found.append(1 / (1 + math.exp(-max(score, LEAST_SCORE))))
    return found
