"""Tracks whether suggestions are accepted, and how much of an accepted text is still there later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from llm_lsp.core.request import Completion
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit
from llm_lsp.core.usage.acceptance import AROUND_LINES, TrackedSuggestion, kept_chars, line_shift
from llm_lsp.core.usage.records import CHECKPOINTS_S, Subject, SuggestionRecord
from llm_lsp.engine.clock import Clock, Timer

# Accepted texts that are tracked at a time; the oldest is dropped.
MOST_FOLLOWED = 50


@dataclass(slots=True)
class _Shown:
    """The suggestion shown in a document."""

    row: SuggestionRecord
    offer: TrackedSuggestion
    line: int
    """Line on which it began."""
    completion_id: str
    generation_id: int
    shown_at: float


@dataclass(slots=True)
class _Accepted:
    """An accepted text, and where it was inserted."""

    row: SuggestionRecord
    uri: str
    line: int
    text: str
    timers: tuple[Timer, ...] = ()


class AcceptanceTracker:
    """The suggestions of all documents; `put` receives each record as it changes."""

    def __init__(
        self,
        put: Callable[[SuggestionRecord], None],
        document: Callable[[str], Document | None],
        clock: Clock,
        utc: Callable[[], float],
    ) -> None:
        self._put = put
        self._document = document
        self._clock = clock
        self._utc = utc
        self._shown: dict[str, _Shown] = {}
        self._accepted: list[_Accepted] = []

    def show(self, uri: str, completion: Completion, subject: Subject) -> None:
        """Record what is shown now; a longer or partly typed version of the same text is the same suggestion."""
        shown = self._shown.get(uri)
        if shown and _goes_on(shown, completion):
            extra = len(completion.text) - len(shown.offer.rest)
            shown.row = replace(shown.row, chars=shown.row.chars + extra)
            shown.offer = replace(shown.offer, rest=completion.text)
            shown.completion_id = completion.id
            return
        self._end(uri)
        row = SuggestionRecord(completion.id, self._utc(), subject, len(completion.text), 0.0, "shown")
        offer = TrackedSuggestion(completion.start, completion.text)
        line = completion.start.line
        self._shown[uri] = _Shown(
            row, offer, line, completion.id, completion.generation_id, self._clock.now()
        )

    def edited(self, uri: str, edits: Sequence[Edit]) -> None:
        """Process a document's edits."""
        for edit in edits:
            self._move(uri, edit)
            self._follow(uri, edit)

    def accept(self, completion_id: str) -> None:
        """Record an acceptance reported by the editor; an unknown id is ignored."""
        for uri, shown in self._shown.items():
            if shown.completion_id == completion_id:
                offer = shown.offer
                # The edit that inserts it may not have arrived yet.
                shown.offer = replace(offer, rest="", used=offer.used + offer.rest)
                self._end(uri)
                return

    def close(self, uri: str) -> None:
        """Finish tracking in a document; accepted texts in it can no longer be checked."""
        self._end(uri)
        for accepted in [each for each in self._accepted if each.uri == uri]:
            self._forget(accepted)

    def aclose(self) -> None:
        """Finish all tracking."""
        for uri in [*self._shown]:
            self._end(uri)
        for accepted in [*self._accepted]:
            self._forget(accepted)

    def _follow(self, uri: str, edit: Edit) -> None:
        shown = self._shown.get(uri)
        if shown is None:
            return
        offer = shown.offer.after(edit)
        if offer is not None:
            shown.offer = offer
        if offer is None or offer.is_done:
            self._end(uri)

    def _end(self, uri: str) -> None:
        shown = self._shown.pop(uri, None)
        if shown is None:
            return
        offer, seconds = shown.offer, self._clock.now() - shown.shown_at
        row = replace(shown.row, fate=offer.fate, shown_s=round(seconds, 3), used_chars=len(offer.used))
        self._put(row)
        if offer.used:
            self._watch(_Accepted(row, uri, shown.line, offer.used))

    def _watch(self, accepted: _Accepted) -> None:
        now = self._clock.now()
        accepted.timers = tuple(
            self._clock.call_at(now + delay_s, partial(self._look, accepted, number))
            for number, delay_s in enumerate(CHECKPOINTS_S)
        )
        self._accepted.append(accepted)
        if len(self._accepted) > MOST_FOLLOWED:
            self._forget(self._accepted[0])

    def _move(self, uri: str, edit: Edit) -> None:
        for accepted in self._accepted:
            if accepted.uri == uri and edit.start.line < accepted.line:
                accepted.line = max(edit.start.line, accepted.line + line_shift(edit))

    def _look(self, accepted: _Accepted, number: int) -> None:
        document = self._document(accepted.uri)
        if document is None:
            return
        n_lines = accepted.text.count("\n") + 1
        first = max(0, accepted.line - AROUND_LINES)
        last = min(document.text.line_count, accepted.line + n_lines + AROUND_LINES)
        around = "\n".join(document.text.line(line) for line in range(first, last))
        kept = [*accepted.row.kept_chars]
        kept[number] = kept_chars(accepted.text, around)
        accepted.row = replace(accepted.row, kept_chars=tuple(kept))
        self._put(accepted.row)
        if number == len(CHECKPOINTS_S) - 1:
            self._forget(accepted)

    def _forget(self, accepted: _Accepted) -> None:
        for timer in accepted.timers:
            timer.cancel()
        self._accepted.remove(accepted)


def _goes_on(shown: _Shown, completion: Completion) -> bool:
    is_same = shown.generation_id == completion.generation_id
    return is_same and shown.offer.at == completion.start and completion.text.startswith(shown.offer.rest)
