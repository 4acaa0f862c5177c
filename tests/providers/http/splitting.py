"""A body in pieces, as a splitter reads it."""

from __future__ import annotations

from llm_lsp.providers.http.event_splitters import (
    Splitter,
)


def read(splitter: Splitter, *pieces: bytes) -> list[bytes]:
    return [event for piece in pieces for event in splitter.feed(piece)] + splitter.end()
