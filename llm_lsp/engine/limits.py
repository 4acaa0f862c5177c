"""How often a provider is asked without its user's word; knows no calls and no clock."""

from __future__ import annotations

# Calls that may come together: a few jumps through a file.
BURST = 10.0
# Seconds to be quiet where an API says "too many" and not for how long; and the longest that is obeyed.
DEFAULT_QUIET_S = 5.0
MAX_QUIET_S = 120.0


class RateLimit:
    """A bucket of calls that fills with time; all times are seconds of one monotonic clock."""

    def __init__(self, calls_per_minute: float) -> None:
        self.calls_per_minute = calls_per_minute
        """May be changed at any time."""
        self._left = BURST
        self._filled_at = float("-inf")
        self._quiet_until = float("-inf")

    def allows(self, now: float) -> bool:
        """Say whether one more automatic call may be made; asking costs nothing."""
        return now >= self._quiet_until and self._level(now) >= 1

    def count(self, now: float) -> None:
        """Take note of a call."""
        self._left, self._filled_at = max(0.0, self._level(now) - 1), now

    def refused(self, now: float, retry_after_s: float | None) -> None:
        """Take note that the API refused a call; `retry_after_s` is what it asked for."""
        quiet_s = DEFAULT_QUIET_S if retry_after_s is None else retry_after_s
        self._quiet_until = now + min(max(quiet_s, 0.0), MAX_QUIET_S)

    def _level(self, now: float) -> float:
        if self._filled_at == float("-inf"):
            return BURST
        return min(BURST, self._left + (now - self._filled_at) * self.calls_per_minute / 60)
