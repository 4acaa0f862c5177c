"""How fast a model reads prompts, and how long one may be so that its answer comes in time.

Each call that was waited for is one observation. A server that reports how it reads a prompt (llama.cpp) shows its
speed apart from the wait for its turn. Of another only the time to the first text is known, in which a cache may have
saved the reading: there the limit rises step by step, and more slowly after each time that it had to fall.
The limit is 256 tokens times a power of two, so that a window keeps its start, and the server's cache stays good.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from llm_lsp.core.generation import PromptProgress

# Seconds. With a reported speed: what the first prompt of a file may take with the wait for its turn, since the next
# ones are cached. Else what any prompt may take.
REPORTED_S, OBSERVED_S = 10.0, 5.0
# Tokens. A shorter prompt holds the current function at best.
LEAST_TOKENS = 256
# Tokens that must be new to a server: its time for fewer is mostly not that of reading.
LEAST_NEW = 64
# Seconds to the first text from which a provider is slow; under it a hosted one is mostly its network.
SLOW_S = 2.0
# The weight of a new observation in the running means.
_WEIGHT = 0.5
# A speed that suffices for so many times a longer prompt makes prompts longer, and for so many times a shorter one
# makes them shorter; between the two it may waver.
_SPARE = 1.25
# Fast answers in a row before the limit rises: doubled after each fall, up to the cap.
_MOST_FAST = 64


@dataclass(frozen=True, slots=True)
class ReadingSpeed:
    """What was observed of one provider."""

    limit_tokens: float = math.inf
    """The longest prompt; infinite while nothing speaks for shorter ones."""
    first_s: float = 0.0
    """The mean time to the first text, in seconds; 0 before the first."""
    wait_s: float = 0.0
    """The mean wait for a turn, in seconds, as far as it is known."""
    tokens_per_s: float | None = None
    """As the server reports it."""
    n_fast: int = 0
    """Fast answers in a row."""
    n_fast_needed: int = 1

    @property
    def is_slow(self) -> bool:
        """Whether a user who types on seldom sees an answer."""
        return self.first_s > SLOW_S

    def observed(
        self, tokens: float, seconds: float, progress: PromptProgress | None, *, is_read: bool = True
    ) -> ReadingSpeed:
        """Return the speed after a prompt of so many tokens had its first text after `seconds`.

        With `is_read` false the call ended without text by then: that counts only if it was slower than the mean.
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
"""Of a server that may be slow: its first prompt is short, and shows how fast it is."""


def _mean(before: float | None, now: float) -> float:
    return now if before is None else before + _WEIGHT * (now - before)


def _step(tokens: float) -> float:
    """Return the largest limit up to a number of tokens, at least the smallest one."""
    return LEAST_TOKENS * 2.0 ** math.floor(math.log2(max(tokens, LEAST_TOKENS) / LEAST_TOKENS))
