"""A piece of another file, and the sources that such pieces come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ContextSource = Literal["signatures", "similar", "visited", "edits"]
"""Where context comes from: signatures of what a file uses, alike pieces of other files, places that its user was at,
and their last changes."""


CONTEXT_SOURCES: tuple[ContextSource, ...] = ("signatures", "similar", "visited", "edits")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of another file, for context."""

    path: str
    text: str
    above: str = ""
    """The line that begins a private key of which the text's first lines are a part, with its end; it is not sent."""
