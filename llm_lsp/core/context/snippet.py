"""A piece of another file for the prompt, and the sources of such pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ContextSource = Literal["signatures", "similar", "visited", "edits"]
"""Sources of context: signatures of what a file uses, similar code in other files, places the user visited, and the
user's latest changes."""


CONTEXT_SOURCES: tuple[ContextSource, ...] = ("signatures", "similar", "visited", "edits")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of another file, used as context."""

    path: str
    text: str
    above: str = ""
    """The first line of a private key that the text continues, with its line end; it is not sent."""
