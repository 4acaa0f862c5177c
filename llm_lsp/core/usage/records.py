"""Calls and suggestions as the books have them; they hold no text of any document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from llm_lsp.core.generation import Usage
from llm_lsp.core.provider_profile import Profile

Outcome = Literal["reserved", "complete", "cut", "closed", "failed"]
"""How a call ended: by itself, when all that was wanted had come, because nobody wanted it, or in an error.

"reserved" is one that has not ended, or whose process died; it stands there with the most that it can cost.
"""

Fate = Literal["shown", "accepted", "partly", "typed through", "dismissed"]
"""What became of a suggestion; "shown" until it is known."""

# Seconds after which an accepted text is looked for again (Cody's persistence tracker has the same).
CHECKPOINTS_S = (30.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True)
class Subject:
    """What rows are grouped by; a project is its folder's name, never its path."""

    provider: str = ""
    model: str = ""
    language: str = ""
    project: str = ""

    def of(self, profile: Profile) -> Subject:
        """Return the same subject for another model."""
        return replace(self, provider=profile.provider, model=profile.model)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call to a model; a later row of the same number takes the place of an earlier one."""

    number: int
    """Counts the calls of a process from 1."""
    at: float
    """When it was made: seconds of UTC since 1970."""
    subject: Subject
    trigger: str
    usage: Usage
    estimated: bool
    """The API did not say what was used, since the call was cut or closed."""
    cost: float | None
    """In `currency`; None where no price is known."""
    currency: str
    free: bool
    """It counts against no budget."""
    outcome: Outcome
    first_s: float | None = None
    """Seconds to the first text; None where none came."""
    whole_s: float = 0.0

    @property
    def tokens(self) -> int:
        """All that was read and written."""
        return (self.usage.input_tokens or 0) + (self.usage.output_tokens or 0)


@dataclass(frozen=True, slots=True)
class SuggestionRecord:
    """One text that was offered; a later row of the same id takes the place of an earlier one."""

    id: str
    at: float
    subject: Subject
    chars: int
    shown_s: float
    """Seconds that it could be seen."""
    fate: Fate
    used_chars: int = 0
    """How much of it was accepted."""
    kept_chars: tuple[int | None, ...] = (None, None, None)
    """How much of that was still there at each of CHECKPOINTS_S; None where it was not looked for."""
