"""Tracks what was last shown in each document, and how much of it the user typed or accepted."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.generation import Generation
from llm_lsp.core.response.suggestion_length import SuggestionLength, count_words
from llm_lsp.core.text.cursor_context import CursorContext, followed
from llm_lsp.engine.completion.events import Ask, Route


@dataclass(frozen=True, slots=True)
class _Last:
    generation_id: int
    route: Route
    cursor: CursorContext
    rest: str
    """The rest of the generation after the cursor; "" if the user typed something else."""


class LastShown:
    """One for all documents. How users react to what is shown decides how long suggestions are."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self._lengths: dict[tuple[str, str], SuggestionLength] = {}

    def put(self, ask: Ask, generation: Generation, typed: int) -> None:
        """Record that the rest of a generation is shown."""
        self._last[ask.uri] = _Last(generation.id, ask.route, ask.cursor, generation.text[typed:])

    def generation_id(self, uri: str) -> int | None:
        """Return the id of the generation that was shown last in a document, or None."""
        last = self._last.get(uri)
        return last.generation_id if last else None

    def follow(self, now: CursorContext) -> None:
        """Compare what was last shown in a document with its current text."""
        last = self._last.get(now.context_key.uri)
        if last is None or not last.rest:
            return
        how = followed(last.cursor, last.rest, now)
        rest = ""
        if how is not None:
            route = last.route
            words = count_words(last.rest, how.chars)
            length = self._lengths.get((route.provider, route.model), SuggestionLength())
            self._lengths[route.provider, route.model] = length.seen(words, missed=how.missed)
            rest = "" if how.missed else last.rest[how.chars :]
        self._last[now.context_key.uri] = _Last(last.generation_id, last.route, now, rest)

    def phrase_words(self, route: Route) -> int:
        """Return how many words of a line to show at once."""
        return self._lengths.get((route.provider, route.model), SuggestionLength()).phrase_words

    def forget(self, uri: str) -> None:
        """Forget what was shown in a document."""
        self._last.pop(uri, None)
