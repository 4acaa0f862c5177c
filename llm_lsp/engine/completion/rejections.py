"""The suggestions that a user dismissed or undid: they are not offered at the same place again.

A place is identified by the text around it, and a suggestion by the line as it would be with it, so that one is
recognized after some of it was typed, or if more or less of it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.cursor_context import ContextKey, CursorContext, cursor_context_at
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, advance

# Places that are remembered; the oldest is forgotten.
MAX_PLACES = 256


@dataclass(frozen=True, slots=True)
class _Offer:
    completion_id: str
    cursor: CursorContext
    text: str

    @property
    def line(self) -> str:
        return self.cursor.line_prefix + self.text


class Rejections:
    """One for all documents, as long as the server runs."""

    def __init__(self) -> None:
        self._shown: dict[str, _Offer] = {}
        self._accepted: dict[str, _Offer] = {}
        self._rejected: dict[ContextKey, tuple[str, ...]] = {}

    def shown(self, completion_id: str, cursor: CursorContext, text: str) -> None:
        """Record what is shown in a document."""
        self._shown[cursor.context_key.uri] = _Offer(completion_id, cursor, text)

    def accepted(self, completion_id: str) -> None:
        """Record that a suggestion was accepted, so that it can be undone."""
        for uri, offer in self._shown.items():
            if offer.completion_id == completion_id:
                self._accepted[uri] = offer

    def dismissed(self, completion_id: str) -> str:
        """Record that a suggestion was dismissed; return its document, "" if it is not shown."""
        found = next((uri for uri, one in self._shown.items() if one.completion_id == completion_id), "")
        if found:
            self._reject(self._shown.pop(found))
        return found

    def edited(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Record that a document changed: a suggestion may have been inserted or undone."""
        uri = document.uri
        if len(edits) != 1:
            return
        edit = edits[0]
        shown = self._shown.get(uri)
        if shown is not None and len(shown.text) > 1 and edit.text.endswith(shown.text):
            self._accepted[uri] = shown
        elif edit.start != edit.end and (accepted := self._accepted.get(uri)) is not None:
            cursor = cursor_context_at(document, advance(edit.start, edit.text))
            if cursor == accepted.cursor:
                self._reject(self._accepted.pop(uri))

    def has(self, cursor: CursorContext, text: str) -> bool:
        """Check whether a suggestion was rejected at a place, or one that begins as it does."""
        line = cursor.line_prefix + text
        rejected = self._rejected.get(cursor.context_key, ())
        return any(
            one.startswith(line) or (line.startswith(one) and len(cursor.line_prefix) < len(one))
            for one in rejected
        )

    def forget(self, uri: str) -> None:
        """Forget what is shown in a document."""
        self._shown.pop(uri, None)
        self._accepted.pop(uri, None)

    def _reject(self, offer: _Offer) -> None:
        key = offer.cursor.context_key
        others = self._rejected.pop(key, ())
        self._rejected[key] = (*others, offer.line.rstrip())
        if len(self._rejected) > MAX_PLACES:
            del self._rejected[next(iter(self._rejected))]
