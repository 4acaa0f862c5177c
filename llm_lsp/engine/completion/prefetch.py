"""Whether prefetching pays: asking for what comes after a suggestion before it is accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace

# The weight of a new outcome: about the last twenty count, as in the design's stage 10.
WEIGHT = 0.1
# Where calls cost money, from this share of places that users really came to.
PAID_FROM = 0.4
# Under this share of calls that were of use no more are made, but for one in so many chances to see whether that changed.
LEAST_USED = 0.25
TRY_AGAIN = 20


@dataclass(frozen=True, slots=True)
class PrefetchOdds:
    """What came of the chances to ask ahead, made use of or not."""

    reached: float = 0.0
    """Share of the chances at which the suggestion was then accepted, or typed to its end."""
    used: float = 0.5
    """Share of the calls that then had something to show."""
    passed: int = 0
    """Chances since the last call."""

    def pays(self, *, is_free: bool) -> bool:
        """Return whether the next prefetch is worth its call."""
        if self.used < LEAST_USED and self.passed < TRY_AGAIN:
            return False
        return is_free or self.reached >= PAID_FROM

    def chance(self, *, called: bool) -> PrefetchOdds:
        """Count a chance."""
        return replace(self, passed=0 if called else self.passed + 1)

    def settled(self, *, reached: bool, used: bool | None) -> PrefetchOdds:
        """Count what came of one; `used` is None if no call was made."""
        share = self.reached + WEIGHT * (reached - self.reached)
        if used is None:
            return replace(self, reached=share)
        return replace(self, reached=share, used=self.used + WEIGHT * (used - self.used))
