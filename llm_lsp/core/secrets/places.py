"""Finds a plain string in a text."""

from __future__ import annotations

from collections.abc import Iterator


def places(text: str, part: str) -> Iterator[int]:
    """Yield where a string begins in a text, each time; none reaches into the one before."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))
