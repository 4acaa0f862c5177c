"""Records of calls and suggestions in the usage store; they contain no document text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from llm_lsp.core.generation import Usage
from llm_lsp.core.provider_profile import Profile

Outcome = Literal["reserved", "complete", "cut", "closed", "failed"]
"""How a call ended: by itself, because everything needed had arrived, because it was no longer needed, or with
an error. "reserved" means that it has not ended, or its process died; it then counts with its highest possible
cost.
"""

Fate = Literal["shown", "accepted", "partly", "typed through", "dismissed"]
"""Outcome of a suggestion; "shown" until it is known."""

# Seconds after which an accepted text is checked again, as in Cody's persistence tracker.
CHECKPOINTS_S = (30.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True)
class Subject:
    """What records are grouped by; a project is its folder's name, never its path."""

    provider: str = ""
    model: str = ""
    language: str = ""
    project: str = ""

    def of(self, profile: Profile) -> Subject:
        """Return the same subject for another model."""
        return replace(self, provider=profile.provider, model=profile.model)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call to a model; a later record with the same number replaces an earlier one."""

    number: int
    """Counts the calls of a process from 1."""
    at: float
    """Start of the call, in seconds since 1970 (UTC)."""
    subject: Subject
    trigger: str
    usage: Usage
    estimated: bool
    """Whether token counts are estimates, because the call was cut or closed before the API reported them."""
    cost: float | None
    """In `currency`; None if the price is unknown."""
    currency: str
    free: bool
    """Whether it counts towards no budget."""
    outcome: Outcome
    first_s: float | None = None
    """Seconds to the first text; None if there was none."""
    whole_s: float = 0.0
    failure: str = ""
    """Class of the error, if it failed; not stored."""

    @property
    def tokens(self) -> int:
        """All input and output tokens."""
        return (self.usage.input_tokens or 0) + (self.usage.output_tokens or 0)


@dataclass(frozen=True, slots=True)
class SuggestionRecord:
    """One text that was suggested; a later record with the same id replaces an earlier one."""

    id: str
    at: float
    subject: Subject
    chars: int
    shown_s: float
    """Seconds during which it was visible."""
    fate: Fate
    used_chars: int = 0
    """Number of its characters that were accepted."""
    kept_chars: tuple[int | None, ...] = (None, None, None)
    """Number of those that remained at each of CHECKPOINTS_S; None if not checked."""
