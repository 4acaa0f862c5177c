"""How long to wait for the next key before a model is called. All times are arguments."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.cursor_context import INERT_REST
from llm_lsp.core.text.text import is_word_char

# Seconds. A gap this long is a pause. Tabby leaves longer gaps out of its mean too.
PAUSE_S = 0.4
# Seconds. Bounds of the adaptive delay. Calls are joined, so waiting saves few of them: on four windows of a recorded
# session, for 100 edits, 20.0 calls with these bounds as without any delay, and 18.7 with 0.075 to 0.3 s, which
# costs a tenth of what is accepted. See docs/adr/0010.
MIN_DELAY_S = 0.02
MAX_DELAY_S = 0.06
# Seconds. The mean gap until it is known: Tabby's start value.
DEFAULT_GAP_S = 0.2
# The weight of a new gap in the running mean: about the last 20 keys count.
GAP_WEIGHT = 0.1
# Of the mean gap, for each point of Tabby's rate.
GAP_SHARE = 0.1
# A model that takes seconds is called after a pause of this share of them, up to the cap: an answer is seen only by a
# user who has stopped, and on a server that others use each call that is not seen takes the turn of one that would be.
SLOW_SHARE, MOST_SLOW_S = 0.15, 1.0
# Seconds to the first text up to which nothing more is waited for.
FAST_S = 2.0
# After these a user looks for what comes next.
OPENERS = "([{<.:=（【「"


@dataclass(frozen=True, slots=True)
class TypingPace:
    """How one document is being typed in; all times are seconds of one monotonic clock."""

    last_edit_at: float = float("-inf")
    paused: bool = True
    """Whether the last edit came after a pause."""
    mean_gap_s: float = DEFAULT_GAP_S
    deletions: int = 0
    """Deleting edits in a row, up to now."""
    is_inserting: bool = False
    """Whether the last edit put text in."""

    def edited(self, now: float, *, deleting: bool) -> TypingPace:
        """Count one edit."""
        gap = now - self.last_edit_at
        deletions = self.deletions + 1 if deleting else 0
        if gap >= PAUSE_S:
            return TypingPace(now, True, self.mean_gap_s, deletions, not deleting)
        mean = self.mean_gap_s + GAP_WEIGHT * (gap - self.mean_gap_s)
        return TypingPace(now, False, mean, deletions, not deleting)


def ready_at(pace: TypingPace, line_prefix: str, rest: str) -> float:
    """Return from when on a model may be called; minus infinity if there is nothing to wait for."""
    before = line_prefix.rstrip()
    if pace.paused or not before or (line_prefix == before and before[-1] in OPENERS):
        return float("-inf")
    return pace.last_edit_at + delay_s(pace, line_prefix, rest)


def slow_pause_s(first_s: float) -> float:
    """Return the least pause before a call to a model whose first text takes `first_s` seconds."""
    return min(MOST_SLOW_S, SLOW_SHARE * first_s) if first_s > FAST_S else 0.0


def delay_s(pace: TypingPace, line_prefix: str, rest: str) -> float:
    """Return the pause to wait for in seconds: longer inside words, shorter where an answer is likely to fit.

    The shape is Tabby's adaptive debounce; its length is a small part of a key's gap.
    """
    at_boundary = bool(line_prefix) and not is_word_char(line_prefix[-1])
    at_line_end = not rest.strip(INERT_REST)
    score = 0.5 * at_boundary + 0.4 * at_line_end
    return min(MAX_DELAY_S, max(MIN_DELAY_S, (3.0 - 1.5 * score) * pace.mean_gap_s * GAP_SHARE))
