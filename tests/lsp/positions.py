"""Where an editor's cursor can be."""

from __future__ import annotations


def positions(text: str, encoding: str) -> dict[int, tuple[int, int]]:
    """Return the position of each offset where an editor's cursor can be: not between CR and LF."""
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    places: dict[int, tuple[int, int]] = {}
    line = start = 0
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n" and offset:
            continue
        if offset and text[offset - 1] in "\r\n":
            line, start = line + 1, offset
        places[offset] = line, len(text[start:offset].encode(codec)) // width
    return places
