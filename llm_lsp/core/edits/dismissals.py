"""The next edits that a user dismissed: they do not come back, and after several of them there is a pause."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llm_lsp.core.edits.next_edit import NextEdit

# Seconds of silence after an edit was dismissed; twice as long for each further one (Copilot: 5 s after a reject, and
# factors that fade within 10 minutes; see docs/next-edits.md).
PAUSE_S = 5.0
MAX_PAUSE_S = 300.0
FADE_S = 600.0
# Edits that are remembered.
MAX_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Dismissals:
    """What was dismissed, oldest first."""

    edits: tuple[tuple[str, str, str], ...] = ()
    """Document and what the edit would have changed."""
    times: tuple[float, ...] = ()

    def dismissed(self, uri: str, edit: NextEdit, now: float) -> Dismissals:
        """Add an edit that the user dismissed."""
        times = tuple(time for time in self.times if now - time < FADE_S)
        return replace(self.passed_over(uri, edit), times=(*times, now))

    def passed_over(self, uri: str, edit: NextEdit) -> Dismissals:
        """Add an edit in whose place the user wrote something else: it does not come back, but no pause follows."""
        return replace(self, edits=(*self.edits, (uri, *edit.key))[-MAX_REMEMBERED:])

    def accepted(self) -> Dismissals:
        """Forget the pauses: the user wants next edits after all."""
        return replace(self, times=())

    def has(self, uri: str, edit: NextEdit) -> bool:
        """Check whether an edit was dismissed before."""
        return (uri, *edit.key) in self.edits

    def is_paused(self, now: float) -> bool:
        """Check whether nothing is to be shown for a while."""
        recent = [time for time in self.times if now - time < FADE_S]
        pause = min(PAUSE_S * 2 ** (len(recent) - 1), MAX_PAUSE_S) if recent else 0.0
        return bool(recent) and now < recent[-1] + pause
