"""Recognizes files that a program wrote, by the mark that generators leave at their start."""

from __future__ import annotations

import re

# Characters at a file's start in which a generator leaves its mark, and the marks: Go's rule
# (https://go.dev/s/generatedcode), the one that code review tools know, and what generators say where there is no rule:
# of 20,000 files of Python's library and 60 packages, 123 say it so, and two of those are hand-written.
HEAD_CHARS = 1000
_MARK = r"(?:#|//|/\*|\*|--|;|%|<!--|\"\"\"|''')[^\w\n]*"
_BY_ITSELF = r"(?:[Aa]uto[- ]?|[Aa]utomatically )"
_GENERATED = re.compile(
    r"Code generated |@generated|DO NOT EDIT|^[ \t]*(?:"
    rf"(?:{_MARK})?[Tt]his (?:file|code|module) (?:is|was|has been) {_BY_ITSELF}?generated|"
    rf"{_MARK}(?:Generated|{_BY_ITSELF}generated)"
    r") (?:by|from|using)\b",
    re.MULTILINE,
)


def is_generated(text: str) -> bool:
    """Check whether a file is generated; only its first HEAD_CHARS characters are looked at."""
    return _GENERATED.search(text[:HEAD_CHARS]) is not None
