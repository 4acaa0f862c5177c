"""Tracks what was last shown in each document, and how much of it the user typed or accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llm_lsp.core.generation import Generation
from llm_lsp.core.response.confidence.estimate import Calibration
from llm_lsp.core.response.confidence.sure_extent import SureExtent
from llm_lsp.core.response.suggestion_length import SMALL_START_RUN, SuggestionLength, count_words
from llm_lsp.core.text.cursor_context import CursorContext, followed
from llm_lsp.engine.completion.events import Ask, Route


@dataclass(frozen=True, slots=True)
class _Last:
    generation_id: int
    route: Route
    cursor: CursorContext
    rest: str
    """The rest of the generation after the cursor; "" if the user typed something else."""
    judged: int = 0
    """How many characters of the rest the estimate is about; 0 if there is none, or its outcome is known."""
    chance: float = 0.0


class LastShown:
    """One for all documents. How users react to what is shown decides how long suggestions are."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self._lengths: dict[tuple[str, str], SuggestionLength] = {}
        self._calibrations: dict[tuple[str, str], Calibration] = {}

    def put(self, ask: Ask, generation: Generation, typed: int, extent: SureExtent | None = None) -> None:
        """Record that the rest of a generation is shown, or not sure enough to be: `extent` tells how likely it is."""
        judged, chance = (extent.end - typed, extent.chance) if extent else (0, 0.0)
        rest = generation.text[typed:]
        self._last[ask.uri] = _Last(generation.id, ask.route, ask.cursor, rest, max(0, judged), chance)

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
        rest, judged = "", 0
        if how is not None:
            route = last.route
            judged = self._judge(last, how.chars, missed=how.missed)
            words = count_words(last.rest, how.chars)
            length = self._lengths.get((route.provider, route.model), SuggestionLength())
            self._lengths[route.provider, route.model] = length.seen(words, missed=how.missed)
            rest = "" if how.missed else last.rest[how.chars :]
        self._last[now.context_key.uri] = _Last(
            last.generation_id, last.route, now, rest, judged, last.chance
        )

    def _judge(self, last: _Last, followed_chars: int, *, missed: bool) -> int:
        """Compare an estimate with its outcome, if that is known; return of how much it is still open."""
        if not last.judged:
            return 0
        is_right = followed_chars >= last.judged
        if not is_right and not missed:
            return last.judged - followed_chars
        key = last.route.provider, last.route.model
        self._calibrations[key] = self.calibration(last.route).seen(last.chance, right=is_right)
        return 0

    def dismissed(self, uri: str) -> None:
        """Record that what is shown in a document was dismissed, which counts as wrong."""
        if last := self._last.get(uri):
            self._judge(last, 0, missed=True)
            self._last[uri] = replace(last, judged=0)

    def calibration(self, route: Route) -> Calibration:
        """Return what the reactions to a model's suggestions add to the estimates."""
        return self._calibrations.get((route.provider, route.model), Calibration())

    def phrase_words(self, route: Route, *, is_small: bool) -> int | None:
        """Return how many words of a line to show at once; None for the whole line.

        `is_small` tells where a model begins of which nothing is known yet.
        """
        key = route.provider, route.model
        start = SuggestionLength(SMALL_START_RUN) if is_small else SuggestionLength()
        return self._lengths.setdefault(key, start).phrase_words

    def forget(self, uri: str) -> None:
        """Forget what was shown in a document."""
        self._last.pop(uri, None)
