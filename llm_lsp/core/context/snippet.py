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
    """The line, with its end, without which a secret in the text's first lines would not be seen: one that begins a
    private key, or ends with a secret's name. It is not sent.
    """
