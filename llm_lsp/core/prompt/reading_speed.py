"""Measures how fast a model reads prompts, and limits their length so that answers come in time.

Each call is one observation. A server that reports its progress (llama.cpp) shows its reading speed without the
time in the queue. Of other servers only the time to the first text is known, which caching may have shortened.
For these the limit rises step by step, and more slowly after each time that it had to fall. The limit is 256
tokens times a power of two, so that windows keep their start, and the server's cache stays valid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from llm_lsp.core.generation import PromptProgress

# Seconds. With a reported speed: for the first prompt of a file, including the queue, since later ones are cached.
# Without: for any prompt.
REPORTED_S, OBSERVED_S = 10.0, 5.0
# Tokens. A shorter prompt contains the current function at most.
LEAST_TOKENS = 256
# How much longer the prompt of a manual request may be, whose user waits.
ASKED_FACTOR = 2.0
# Least number of uncached tokens: the time for fewer mainly consists of other things than reading.
LEAST_NEW = 64
# Seconds to the first text above which a provider is slow; below, a hosted one's time is mainly the network's.
SLOW_S = 2.0
# Weight of a new observation in the moving averages.
_WEIGHT = 0.5
# Factor by which the speed must exceed what a longer prompt needs before prompts become longer, and fall below what the
# current one needs before they become shorter; it may vary in between.
_SPARE = 1.25
# Consecutive fast answers before the limit rises: doubled after each fall, up to this number.
_MOST_FAST = 64


@dataclass(frozen=True, slots=True)
class ReadingSpeed:
    """The observations of one provider."""

    limit_tokens: float = math.inf
    """The longest prompt; infinite unless shorter ones are needed."""
    first_s: float = 0.0
    """Average time to the first text in seconds; 0 before the first."""
    wait_s: float = 0.0
    """Average time in the queue in seconds, as far as it is known."""
    tokens_per_s: float | None = None
    """As reported by the server."""
    n_fast: int = 0
    """Number of consecutive fast answers."""
    n_fast_needed: int = 1

    @property
    def is_slow(self) -> bool:
        """Whether answers come so late that users who type on rarely see one."""
        return self.first_s > SLOW_S

    def observed(
        self, tokens: float, seconds: float, progress: PromptProgress | None, *, is_read: bool = True
    ) -> ReadingSpeed:
        """Return the speed after a prompt of so many tokens, whose first text came after `seconds`.

        If `is_read` is false, the call ended without text; this counts only if it took longer than the average.
        """
        if not is_read and seconds <= max(self.first_s, SLOW_S):
            return self
        timed = replace(self, first_s=_mean(self.first_s or None, seconds))
        if progress is not None:
            return timed._reported(progress, max(0.0, seconds - progress.seconds))
        return timed if tokens < LEAST_NEW else timed._timed(tokens, seconds)

    def _reported(self, progress: PromptProgress, waited_s: float) -> ReadingSpeed:
        wait_s, speed = _mean(self.wait_s, waited_s), self.tokens_per_s
        if progress.n_read >= LEAST_NEW and progress.seconds > 0:
            speed = _mean(speed, progress.n_read / progress.seconds)
        if speed is None:
            return replace(self, wait_s=wait_s)
        fitting = speed * max(0.0, REPORTED_S - wait_s)
        limit = max(self.limit_tokens, _step(fitting / _SPARE))
        if fitting * _SPARE < limit:
            limit = _step(fitting)
        return replace(self, limit_tokens=limit, wait_s=wait_s, tokens_per_s=speed)

    def _timed(self, tokens: float, seconds: float) -> ReadingSpeed:
        fitting = _step(tokens * OBSERVED_S / seconds) if seconds > SLOW_S else math.inf
        if fitting < self.limit_tokens:
            needed = min(_MOST_FAST, 2 * self.n_fast_needed)
            return replace(self, limit_tokens=fitting, n_fast=0, n_fast_needed=needed)
        if seconds > SLOW_S or tokens < self.limit_tokens / 2 or math.isinf(self.limit_tokens):
            return replace(self, n_fast=0)
        if self.n_fast + 1 < self.n_fast_needed:
            return replace(self, n_fast=self.n_fast + 1)
        return replace(self, limit_tokens=2 * self.limit_tokens, n_fast=0)


SHORT_AT_FIRST = ReadingSpeed(LEAST_TOKENS)
"""For a server that may be slow: its first prompt is short, and shows how fast it is."""


def _mean(before: float | None, now: float) -> float:
    return now if before is None else before + _WEIGHT * (now - before)


def _step(tokens: float) -> float:
    """Return the largest possible limit up to a number of tokens, at least the smallest limit."""
    return LEAST_TOKENS * 2.0 ** math.floor(math.log2(max(tokens, LEAST_TOKENS) / LEAST_TOKENS))
