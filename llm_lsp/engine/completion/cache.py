"""The generation cache: finds earlier generations for a cursor, also after the user has typed along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from llm_lsp.core.generation import Generation
from llm_lsp.core.text.cursor_context import LOOK_BACK_CHARS, ContextKey, CursorContext, continuations
from llm_lsp.engine.completion.events import Ask, Route

# Chosen, not measured: ten minutes is about how long a place in a text stays unchanged.
MAX_BYTES = 8 * 1024 * 1024
MAX_GENERATIONS = 500
TTL_S = 600.0
# Minimum cost of a generation, so that the limit in bytes also limits their number.
GENERATION_COST = MAX_BYTES // MAX_GENERATIONS
# Bytes per entry besides its text, measured with sys.getsizeof on its parts.
ENTRY_COST = 400
# Entries for places that differ only in the current line; the oldest are dropped.
BUCKET_ENTRIES = 32


@dataclass(frozen=True, slots=True)
class _Entry:
    cursor: CursorContext
    generation: Generation
    start: int
    """Offset in the generation's text at which the rest begins, seen from the entry's cursor."""
    is_hole: bool
    is_first: bool
    """Whether it is the first of the generation's places, which counts its text."""

    @property
    def cost(self) -> int:
        text = ENTRY_COST + len(self.cursor.line_prefix)
        return text + max(GENERATION_COST, 4 * len(self.generation.text)) if self.is_first else text

    def replaces(self, other: _Entry) -> bool:
        """Check whether another entry is of no use beside this one.

        A text of the same call that this one does not go on with is kept: it is what was shown, or what was written.
        """
        if self.cursor != other.cursor:
            return False
        is_same_call = self.generation.id == other.generation.id
        return not is_same_call or self.generation.text.startswith(other.generation.text)

    def remaining_from(self, cursor: CursorContext) -> int | None:
        """Return the offset in the generation from which it continues at `cursor`; None if it does not fit
        there.
        """
        mine = self.cursor
        typed = cursor.line_prefix[len(mine.line_prefix) :]
        if mine.cut != cursor.cut or mine.rest != cursor.rest or len(typed) > LOOK_BACK_CHARS:
            return None
        if not cursor.line_prefix.startswith(mine.line_prefix):
            return None
        return self.start + len(typed) if self.generation.text.startswith(typed, self.start) else None


_Key = tuple[Route, ContextKey]
_Entries = tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A cached generation, and the offset in its text at which the rest begins."""

    generation: Generation
    typed: int

    @property
    def rest_chars(self) -> int:
        return len(self.generation.text) - self.typed


class GenerationCache:
    """Generations, both as received and as shown, limited in bytes, number and age.

    Only keeps answers that the same request would get again.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._keys: TTLCache[_Key, _Entries] = TTLCache(
            MAX_BYTES, TTL_S, clock, lambda entries: sum(entry.cost for entry in entries)
        )

    def put(self, ask: Ask, generation: Generation, typed: int = 0) -> None:
        """Add a generation for the place it was requested for, and for the places along its text after `typed`."""
        if not generation.finish.is_lasting:
            return
        rest = generation.text[typed:]
        for place, start in continuations(ask.cursor, rest):
            if start < len(rest) or start == 0:
                entry = _Entry(place, generation, typed + start, ask.is_hole, is_first=start == 0)
                self._add((ask.route, place.context_key), entry)

    def find(self, ask: Ask, shown_id: int | None = None) -> Hit | None:
        """Return the generation with the longest rest at a place, or None.

        The generation `shown_id` is preferred while it fits, so that what is on screen does not change.

        A generation that was cut and then typed to its end has nothing left and is not found; one that the
        model ended is.
        """
        best: Hit | None = None
        for entry in self._keys.get((ask.route, ask.cursor.context_key), ()):
            typed = entry.remaining_from(ask.cursor)
            if typed is None or (ask.is_hole and not entry.is_hole):
                continue
            if not entry.generation.answers(typed, by_phrase=ask.by_phrase):
                continue
            hit = Hit(entry.generation, typed)
            if entry.generation.id == shown_id and entry.generation.end_after(typed) is not None:
                return hit
            if best is None or hit.rest_chars > best.rest_chars:
                best = hit
        return best

    def _add(self, key: _Key, entry: _Entry) -> None:
        others = tuple(e for e in self._keys.get(key, ()) if not entry.replaces(e))
        entries = (*others, entry)[-BUCKET_ENTRIES:]
        if sum(e.cost for e in entries) <= MAX_BYTES:
            self._keys[key] = entries
