"""Read decoded JSON that may have any shape: what is not as expected is as good as absent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

# The largest whole number that every reader of JSON knows (https://www.rfc-editor.org/rfc/rfc8259#section-6).
MAX_COUNT = (1 << 53) - 1


def decode(data: bytes) -> object:
    """Decode JSON in UTF-8, whatever the headers say; raises ValueError where it is none.

    Invalid bytes become U+FFFD; `json.loads` of bytes would guess among encodings instead.
    """
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except RecursionError as exc:
        raise ValueError("JSON too deep") from exc


def as_map(value: object) -> Mapping[str, object]:
    """Give an object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """Give an array, or an empty one."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """Give a string, or an empty one."""
    return value if isinstance(value, str) else ""


def as_int(value: object) -> int | None:
    """Give a count, or None."""
    # True is an int in Python; a count below zero says nothing, and a larger one fits into no books.
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MAX_COUNT else None
