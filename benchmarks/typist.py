"""A simulated user who types a session, and accepts worthwhile suggestions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.session import Key, Manuscript
from llm_lsp.core.text.text import Edit, Text

# Seconds that a suggestion must be on screen to be seen.
REACTION_S = 0.3
MIN_ACCEPT_CHARS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    text: str
    """"" where it had nothing to show."""
    at_once_ms: float | None = None
    """Real milliseconds that it took, where no model had to be waited for."""


class Desk(Protocol):
    """An editor with a server behind it, and the time that passes there."""

    def now(self) -> float: ...

    async def until(self, when: float) -> None:
        """Let time pass."""
        ...

    def change(self, text: Text, edit: Edit) -> None:
        """Set the text after an edit."""
        ...

    async def ask(self) -> Answer:
        """Ask for a completion at the text's end; cancelling it cancels the question."""
        ...


@dataclass(slots=True)
class Tally:
    """What came of it."""

    keys: int = 0
    accepted_chars: int = 0
    valid_keys: int = 0
    answers: int = 0
    flickers: int = 0
    """Times that what was shown was replaced by something else than more of it."""
    at_once_ms: list[float] = field(default_factory=list)


class Typist:
    """Asks at each typed key, cancels the question before, and accepts what was on screen for a moment."""

    def __init__(self, manuscript: Manuscript, desk: Desk) -> None:
        self.tally = Tally()
        self._manuscript = manuscript
        self._desk = desk
        self._shown = ""
        self._shown_at = 0.0
        self._pending: asyncio.Task[Answer] | None = None

    async def run(self, hurry: float = 1.0) -> Tally:
        """Type the whole session, so many times faster than it was recorded."""
        keys = self._manuscript.session.keys
        moment = self._desk.now()
        while self._manuscript.key_idx < len(keys):
            key = keys[self._manuscript.key_idx]
            moment += key.gap_s / hurry
            await self._desk.until(moment)
            if offer := self._wanted(key):
                self._accept(offer)
            else:
                self._press(key)
        await self._desk.until(moment + 1 / hurry)
        self._drop()
        return self.tally

    def _wanted(self, key: Key) -> str:
        """Return the part of a suggestion that the user accepts: all of it, or its first whole lines."""
        if key.deleted or self._desk.now() - self._shown_at < REACTION_S:
            return ""
        ahead = self._manuscript.session.ahead(self._manuscript.key_idx, key.offset)
        lines = self._shown.split("\n")
        for count in range(len(lines), 0, -1):
            part = "\n".join(lines[:count])
            if len(part) >= MIN_ACCEPT_CHARS and ahead.startswith(part):
                return part
        return ""

    def _accept(self, offer: str) -> None:
        self._write(0, offer)
        self._manuscript.key_idx += len(offer)
        self.tally.accepted_chars += len(offer)
        self._shown, self._shown_at = self._shown[len(offer) :], self._desk.now()
        self._ask()

    def _press(self, key: Key) -> None:
        self._manuscript.key_idx += 1
        self._write(key.deleted, key.text)
        if key.deleted:
            self._drop()
            self._shown = ""
            return
        self.tally.keys += 1
        self._shown = self._shown[len(key.text) :] if self._shown.startswith(key.text) else ""
        first = self._shown.split("\n")[0][:12]
        self.tally.valid_keys += bool(self._shown) and self._manuscript.ahead().startswith(first)
        self._ask()

    def _write(self, deleted: int, text: str) -> None:
        edit = self._manuscript.write(deleted, text)
        self._desk.change(self._manuscript.text, edit)

    def _drop(self) -> None:
        if self._pending and not self._pending.done():
            self._pending.cancel()
        self._pending = None

    def _ask(self) -> None:
        self._drop()
        self._pending = asyncio.create_task(self._desk.ask())
        self._pending.add_done_callback(self._show)

    def _show(self, task: asyncio.Task[Answer]) -> None:
        if task.cancelled() or task is not self._pending:
            return
        answer = task.result()
        self.tally.answers += 1
        if answer.at_once_ms is not None:
            self.tally.at_once_ms.append(answer.at_once_ms)
        if answer.text != self._shown:
            self.tally.flickers += bool(self._shown) and not answer.text.startswith(self._shown)
            self._shown, self._shown_at = answer.text, self._desk.now()
