"""Read decoded JSON that may have any shape: what is not as expected is as good as absent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

# The largest whole number that every reader of JSON knows (https://www.rfc-editor.org/rfc/rfc8259#section-6).
MAX_COUNT = (1 << 53) - 1
# Brackets, commas and quotes of an answer, those inside of its text among them. 6 MiB of `[],` are two million lists,
# 162 MiB and seconds; as many as this take 10 ms, and 256 KiB of code in an event have a third of it (measured).
MAX_PARTS = 1 << 15
_PARTS = (b"[", b"{", b",", b'"')


def decode(data: bytes, max_parts: int = MAX_PARTS) -> object:
    """Decode JSON in UTF-8, whatever the headers say; raises ValueError if it is none, or one of too many parts.

    Invalid bytes become U+FFFD; `json.loads` of bytes would guess among encodings instead.
    """
    if len(data) > max_parts and sum(map(data.count, _PARTS)) > max_parts:
        raise ValueError("JSON with too many parts")
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except RecursionError as exc:
        raise ValueError("JSON too deep") from exc


def as_map(value: object) -> Mapping[str, object]:
    """Return an object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """Return an array, or an empty one."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """Return a string, or an empty one."""
    return value if isinstance(value, str) else ""


def as_int(value: object) -> int | None:
    """Return a count, or None."""
    # True is an int in Python; a count below zero says nothing, and a larger one fits into no books.
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MAX_COUNT else None
