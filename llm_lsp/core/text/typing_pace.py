"""How long to wait for the next keystroke before a model is called. All times are arguments."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.cursor_context import INERT_REST
from llm_lsp.core.text.text import is_word_char

# Seconds. A longer gap is a pause; like Tabby, pauses do not count for the average.
PAUSE_S = 0.4
# Limits of the adaptive delay in seconds. Because requests join calls in flight, waiting saves few calls: in four
# windows of a recorded session there were 20.0 calls per 100 edits with these limits, the same as without any delay,
# and 18.7 with 0.075 to 0.3 s, which loses a tenth of the acceptances (ADR 10).
MIN_DELAY_S = 0.02
MAX_DELAY_S = 0.06
# Seconds. The average gap until it is measured: Tabby's start value.
DEFAULT_GAP_S = 0.2
# Weight of a new gap in the moving average: about the last 20 keystrokes count.
GAP_WEIGHT = 0.1
# Share of the average gap per point of Tabby's rating.
GAP_SHARE = 0.1
# A model that takes seconds is called after a pause of this share of them, up to the limit. Only a user who has stopped
# typing sees the answer, and on a shared server every unseen call delays one that would be seen.
SLOW_SHARE, MOST_SLOW_S = 0.15, 1.0
# Seconds to the first text up to which there is no additional wait.
FAST_S = 2.0
# After these characters users look for what comes next.
OPENERS = "([{<.:=（【「"


@dataclass(frozen=True, slots=True)
class TypingPace:
    """How fast one document is being typed in; all times are seconds of one monotonic clock."""

    last_edit_at: float = float("-inf")
    paused: bool = True
    """Whether the last edit came after a pause."""
    mean_gap_s: float = DEFAULT_GAP_S
    deletions: int = 0
    """Number of consecutive deletions up to now."""
    is_inserting: bool = False
    """Whether the last edit inserted text."""

    def edited(self, now: float, *, deleting: bool) -> TypingPace:
        """Return the pace after another edit."""
        gap = now - self.last_edit_at
        deletions = self.deletions + 1 if deleting else 0
        if gap >= PAUSE_S:
            return TypingPace(now, True, self.mean_gap_s, deletions, not deleting)
        mean = self.mean_gap_s + GAP_WEIGHT * (gap - self.mean_gap_s)
        return TypingPace(now, False, mean, deletions, not deleting)


def ready_at(pace: TypingPace, line_prefix: str, rest: str) -> float:
    """Return the earliest time of a call; minus infinity if there is nothing to wait for."""
    before = line_prefix.rstrip()
    if pace.paused or not before or (line_prefix == before and before[-1] in OPENERS):
        return float("-inf")
    return pace.last_edit_at + delay_s(pace, line_prefix, rest)


def slow_pause_s(first_s: float) -> float:
    """Return the shortest pause before a call to a model whose first text takes `first_s` seconds."""
    return min(MOST_SLOW_S, SLOW_SHARE * first_s) if first_s > FAST_S else 0.0


def delay_s(pace: TypingPace, line_prefix: str, rest: str) -> float:
    """Return the pause to wait for in seconds: longer inside words, shorter where an answer is likely to fit.

    Modelled on Tabby's adaptive debounce, but only a small part of the gap between keystrokes.
    """
    at_boundary = bool(line_prefix) and not is_word_char(line_prefix[-1])
    at_line_end = not rest.strip(INERT_REST)
    score = 0.5 * at_boundary + 0.4 * at_line_end
    return min(MAX_DELAY_S, max(MIN_DELAY_S, (3.0 - 1.5 * score) * pace.mean_gap_s * GAP_SHARE))
