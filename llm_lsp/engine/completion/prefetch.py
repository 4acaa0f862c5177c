"""Decides whether to prefetch the text after a suggestion before it is accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace

# Weight of a new outcome in the moving average: about the last twenty outcomes count.
WEIGHT = 0.1
# If calls cost money, prefetch only if at least this share of suggestions was then accepted.
PAID_FROM = 0.4
# If a smaller share of prefetches was useful, stop, except for an occasional one to notice a change.
LEAST_USED = 0.25
TRY_AGAIN = 20


@dataclass(frozen=True, slots=True)
class PrefetchOdds:
    """Moving averages of how prefetches turned out."""

    reached: float = 0.0
    """Share of offers after which the suggestion was accepted or typed to its end."""
    used: float = 0.5
    """Share of prefetch calls whose text was then shown."""
    passed: int = 0
    """Offers since the last call."""

    def pays(self, *, is_free: bool) -> bool:
        """Return whether the next prefetch is worth a call."""
        if self.used < LEAST_USED and self.passed < TRY_AGAIN:
            return False
        return is_free or self.reached >= PAID_FROM

    def chance(self, *, called: bool) -> PrefetchOdds:
        """Count an offer."""
        return replace(self, passed=0 if called else self.passed + 1)

    def settled(self, *, reached: bool, used: bool | None) -> PrefetchOdds:
        """Count an outcome; `used` is None if no call was made."""
        share = self.reached + WEIGHT * (reached - self.reached)
        if used is None:
            return replace(self, reached=share)
        return replace(self, reached=share, used=self.used + WEIGHT * (used - self.used))
