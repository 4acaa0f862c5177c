"""What a completion asks of the scheduler."""

from __future__ import annotations

from llm_lsp.core.request import Face
from llm_lsp.core.text.cursor_context import ContextKey, CursorContext
from llm_lsp.engine.completion.events import (
    Ask,
    Route,
)

ROUTE = Route("p", "m", "none", 1)


def ask(
    number: int,
    typed: str = "",
    *,
    uri: str = "a",
    face: Face = "inline",
    ready_at: float = 0.0,
    slots: int = 2,
    by_phrase: bool = False,
    below: str = "",
) -> Ask:
    cursor = CursorContext(ContextKey(uri, (), below), 0, typed, "")
    return Ask(number, cursor, ROUTE, face, ready_at, slots, by_phrase=by_phrase)
