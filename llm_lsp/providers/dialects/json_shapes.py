"""Encodes JSON, and reads decoded JSON of unknown shape: unexpected values count as missing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from llm_lsp.core.json import Json

# The largest integer that all JSON parsers represent exactly (https://www.rfc-editor.org/rfc/rfc8259#section-6).
MAX_COUNT = (1 << 53) - 1
# Limit on brackets, commas and quotes in an answer, including those within its text. 6 MiB of `[],` are two million
# lists, which take 162 MiB and seconds. The limit takes 10 ms; an event with 256 KiB of code has a third of it.
MAX_PARTS = 1 << 15
_PARTS = (b"[", b"{", b",", b'"')


def decode(data: bytes, max_parts: int = MAX_PARTS) -> object:
    """Decode JSON as UTF-8, whatever the headers say; raises ValueError if it is invalid or has too many parts.

    Invalid bytes become U+FFFD, while `json.loads` would guess the encoding.
    """
    if len(data) > max_parts and sum(map(data.count, _PARTS)) > max_parts:
        raise ValueError("the JSON has too many parts")
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except RecursionError as exc:
        raise ValueError("the JSON is nested too deeply") from exc


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
    # True is an int in Python. Negative or huge counts are useless, and would not fit the database.
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MAX_COUNT else None


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encode(body: Json) -> bytes:
    """Encode a body as JSON in UTF-8; lone surrogates, which a document may contain, become U+FFFD."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()
