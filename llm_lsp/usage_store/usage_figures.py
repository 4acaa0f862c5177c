"""The totals of one day, model, language or project, and the ratios derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ANSWERS = ("known", "joined", "called")


@dataclass(slots=True)
class UsageFigures:
    """Totals; a ratio is None if its denominator is 0."""

    calls: int = 0
    read: int = 0
    """Input tokens."""
    cached: int = 0
    written: int = 0
    estimated: int = 0
    """Number of calls whose token counts are estimates."""
    unpriced: int = 0
    """Number of calls without a known price."""
    failed: int = 0
    money: dict[str, float] = field(default_factory=dict)
    """Costs by currency."""
    first_s: list[float] = field(default_factory=list)
    """Seconds to the first text, for every call that returned some."""
    suggestions: int = 0
    """Number of suggestions that were on screen long enough to read."""
    accepted: int = 0
    """Number of suggestions accepted in full or in part."""
    typed_through: int = 0
    used_chars: int = 0
    kept_chars: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def add_calls(self, currency: str, cost: float, unpriced: int, *sums: int) -> None:
        """Add the totals of the calls in one currency."""
        if cost:
            self.money[currency] = self.money.get(currency, 0.0) + cost
        calls, read, cached, written, estimated, failed = sums
        self.unpriced += unpriced
        self.calls += calls
        self.read += read
        self.cached += cached
        self.written += written
        self.estimated += estimated
        self.failed += failed

    def add_suggestions(self, *sums: int) -> None:
        """Add the totals of suggestions."""
        self.suggestions, self.accepted, self.typed_through, self.used_chars, self.kept_chars = sums

    @property
    def tokens(self) -> int:
        return self.read + self.written

    @property
    def keystrokes(self) -> int:
        return self.counts.get("keystrokes", 0)

    @property
    def calls_per_100_keystrokes(self) -> float | None:
        return _ratio(100 * self.calls, self.keystrokes)

    @property
    def share_without_call(self) -> float | None:
        """Return the share of shown answers that needed no call of their own."""
        shown = sum(self.counts.get(kind, 0) for kind in ANSWERS)
        return _ratio(shown - self.counts.get("called", 0), shown)

    @property
    def first_ms(self) -> float | None:
        """Return the median time to the first text, in milliseconds."""
        # Imported here: only reports need it.
        from statistics import median

        return round(median(self.first_s) * 1000, 1) if self.first_s else None

    @property
    def acceptance(self) -> float | None:
        """Return the share of read suggestions that were accepted in full or in part."""
        return _ratio(self.accepted, self.suggestions)

    @property
    def kept_per_1000_tokens(self) -> float | None:
        """Return the accepted characters that were still in the text when last checked, per 1,000 tokens."""
        return _ratio(1000 * self.kept_chars, self.tokens)

    def reasons(self) -> Mapping[str, int]:
        """Return how often nothing was shown, by reason, most frequent first."""
        found = {
            what.removeprefix("nothing: "): n
            for what, n in self.counts.items()
            if what.startswith("nothing: ")
        }
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def as_mapping(self) -> dict[str, object]:
        """Return everything as JSON fields."""
        return {
            "calls": self.calls,
            "tokens": {"read": self.read, "cached": self.cached, "written": self.written},
            "money": {currency: round(cost, 6) for currency, cost in self.money.items()},
            "calls_estimated": self.estimated,
            "calls_unpriced": self.unpriced,
            "calls_failed": self.failed,
            "keystrokes": self.keystrokes,
            "calls_per_100_keystrokes": _rounded(self.calls_per_100_keystrokes),
            "answers": {kind: self.counts.get(kind, 0) for kind in ANSWERS},
            "share_without_call": _rounded(self.share_without_call),
            "first_ms": self.first_ms,
            "suggestions": self.suggestions,
            "accepted": self.accepted,
            "typed_through": self.typed_through,
            "acceptance": _rounded(self.acceptance),
            "used_chars": self.used_chars,
            "kept_chars": self.kept_chars,
            "kept_per_1000_tokens": _rounded(self.kept_per_1000_tokens),
            "nothing": dict(self.reasons()),
        }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
