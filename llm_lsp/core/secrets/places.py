"""Finds a plain string in a text."""

from __future__ import annotations

from collections.abc import Iterator


def places(text: str, part: str) -> Iterator[int]:
    """Yield every position of a string in a text, without overlaps."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))
