"""A token bucket for automatic calls to a provider."""

from __future__ import annotations

# Burst size: as many calls as a few jumps through a file cause.
BURST = 10.0


class RateLimit:
    """The token bucket; all times are seconds of one monotonic clock."""

    def __init__(self, calls_per_minute: float = 90) -> None:
        self.calls_per_minute = calls_per_minute
        """Rate at which it fills; can be changed at any time."""
        self._left = BURST
        self._filled_at = float("-inf")

    def allows(self, now: float) -> bool:
        """Check whether another automatic call may be made; changes nothing."""
        return self._level(now) >= 1

    def count(self, now: float) -> None:
        """Record a call."""
        self._left, self._filled_at = max(0.0, self._level(now) - 1), now

    def _level(self, now: float) -> float:
        if self._filled_at == float("-inf"):
            return BURST
        return min(BURST, self._left + (now - self._filled_at) * self.calls_per_minute / 60)
