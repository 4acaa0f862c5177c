"""A circuit breaker: after repeated failures, stop calling for a while, then try a single call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

# It opens after this many consecutive failures, or after two if no connection could be made.
IN_A_ROW = 5
OFFLINE_IN_A_ROW = 2
# It also opens if this share of recent calls failed; see the constants below for how many and how recent.
SHARE = 0.5
RECENT = 20
LEAST = 6
WINDOW_S = 30.0
# Seconds that it stays open; doubled each time up to the cap, and varied randomly by at most this share.
OPEN_S = 5.0
CAP_S = 60.0
SPREAD = 0.2


class CircuitBreaker:
    """Closed; open until a time; then half-open, when the next real call is the probe.

    `chance` returns numbers from 0 to 1. All times are seconds of one monotonic clock.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self.until = float("-inf")
        """The end of the last open period."""
        self._chance = chance
        self._recent: deque[tuple[float, bool]] = deque(maxlen=RECENT)
        self._n_in_a_row = 0
        self._n_opened = 0
        self._is_probing = False

    def is_open(self, now: float) -> bool:
        """Check whether calls are blocked; changes nothing."""
        return now < self.until or self._is_probing

    def began(self, now: float) -> None:
        """Record a call; after an open period it is the half-open probe."""
        self._is_probing = self._n_opened > 0 and now >= self.until

    def left(self) -> None:
        """Record that a call ended without an outcome, so that the next call is the probe."""
        self._is_probing = False

    def answering(self) -> None:
        """Record that a call returns text: other calls need not wait for the probe's end."""
        self._is_probing = False

    def went_well(self, now: float) -> None:
        """Record a success, which closes the circuit."""
        self._recent.append((now, True))
        self._n_in_a_row = self._n_opened = 0
        self._is_probing = False
        self.until = float("-inf")

    def failed(self, now: float, *, is_offline: bool) -> None:
        """Record a failure; `is_offline` means that no connection could be made."""
        self._recent.append((now, False))
        self._n_in_a_row += 1
        was_half_open = self._n_opened > 0 and now >= self.until
        too_many = self._n_in_a_row >= (OFFLINE_IN_A_ROW if is_offline else IN_A_ROW)
        if was_half_open or (now >= self.until and (too_many or self._fails_often(now))):
            self._open(now)
        self._is_probing = False

    def _open(self, now: float) -> None:
        length_s = min(CAP_S, OPEN_S * 2.0**self._n_opened)
        self._n_opened += 1
        self.until = now + length_s * (1 + SPREAD * (2 * self._chance() - 1))

    def _fails_often(self, now: float) -> bool:
        recent = [ok for at, ok in self._recent if at > now - WINDOW_S]
        return len(recent) >= LEAST and recent.count(False) >= SHARE * len(recent)
