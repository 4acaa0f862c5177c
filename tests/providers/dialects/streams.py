"""A body in a dialect's framing, read as a provider reads it: in two pieces, cut in the middle."""

from __future__ import annotations

import json
from collections.abc import Sequence

from llm_lsp.config.settings import Api
from llm_lsp.core.generation import Chunk
from llm_lsp.providers.dialects.dialect import load_dialect
from llm_lsp.providers.http.answer_decoder import AnswerDecoder


def read(api: Api, body: bytes) -> list[Chunk]:
    answer = AnswerDecoder(load_dialect(api))
    middle = len(body) // 2
    return [*answer.feed(body[:middle]), *answer.feed(body[middle:]), *answer.end()]


def sse(events: Sequence[dict[str, object]], *, named: bool = False) -> bytes:
    """Write events; `named` puts their type before them, as Anthropic does."""
    lines = [
        (f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events
    ]
    return "".join(lines).encode()


def text_of(chunks: Sequence[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)
