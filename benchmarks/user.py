"""A simulated user of a recorded session, and what suggestions saved and cost them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol

from benchmarks.trace import MOST_TYPED
from benchmarks.written_trace import WrittenTrace
from llm_lsp.core.text.text import Edit, common_start

# Seconds that a suggestion must be on screen to be seen.
REACTION_S = 0.3
# Characters that accepting must save beyond its keys: nobody looks up for fewer.
LEAST_SAVED = 2
# Share of the time between two edits after which the cursor is where the next one is: insert mode begins there.
MOVE_SHARE = 0.8
# A word as editors accept it, and as a user reads it.
WORD = re.compile(r"\s*(?:\w+|[^\w\s]+)")

Habit = Literal["all", "words"]
Moment = Literal["typed", "deleted", "moved"]
"""What an editor requests a suggestion after."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an editor shows at the cursor; `id` tells the server of its acceptance."""

    text: str = ""
    id: str = ""


class TraceDesk(Protocol):
    """An editor with a server behind it, and the time that passes there."""

    def now(self) -> float: ...

    async def until(self, when: float) -> None:
        """Let time pass."""
        ...

    def change(self, edits: tuple[Edit, ...]) -> None:
        """Set the text after edits."""
        ...

    async def ask(self) -> Shown:
        """Ask for a completion at the cursor; cancelling it cancels the question."""
        ...

    def accepted(self, shown: Shown) -> None:
        """Report that all of a suggestion was accepted."""
        ...


@dataclass(slots=True)
class Balance:
    """What suggestions saved and cost."""

    edits: int = 0
    """Typed, or accepted instead."""
    typed_chars: int = 0
    """Without what is pasted."""
    accepted_chars: int = 0
    accept_keys: int = 0
    paints: int = 0
    """Times that a text appeared that was not merely the rest of what was shown."""
    first_word_wrong: int = 0
    wrong_chars: int = 0
    """Characters painted behind the last right one."""
    words_read: int = 0
    painted: list[tuple[int, str]] = field(default_factory=list)
    """By number of edits."""

    def report(self, calls: int, tokens: int, reading_keys: float) -> dict[str, float]:
        """Return the figures; `reading_keys` is what reading a word costs, in keys."""
        chars = max(1, self.typed_chars + self.accepted_chars)
        saved = self.accepted_chars - self.accept_keys
        return {
            "chars": chars,
            "net_saved_per_100": round(100 * saved / chars, 2),
            "net_after_reading_per_100": round(100 * (saved - reading_keys * self.words_read) / chars, 2),
            "accepted_per_100": round(100 * self.accepted_chars / chars, 2),
            "accept_keys_per_100": round(100 * self.accept_keys / chars, 2),
            "wrong_chars_per_100": round(100 * self.wrong_chars / chars, 1),
            "paints": self.paints,
            "first_word_wrong_share": round(self.first_word_wrong / max(1, self.paints), 3),
            "calls": calls,
            "edits": self.edits,
            "calls_per_100_edits": round(100 * calls / max(1, self.edits), 1),
            "tokens": tokens,
        }


class TraceUser:
    """Types a trace, asks at each typed key or at other moments, and accepts what was on screen for a moment.

    "all" accepts all of a suggestion or its leading whole lines, with one key; "words" also accepts its leading words,
    with a key for each.
    """

    def __init__(
        self,
        written: WrittenTrace,
        desk: TraceDesk,
        habit: Habit,
        asks_after: Collection[Moment],
    ) -> None:
        self.balance = Balance()
        self._asks_after = asks_after
        self._written = written
        self._desk = desk
        self._habit = habit
        self._shown = Shown()
        self._shown_at = 0.0
        self._pending: asyncio.Task[Shown] | None = None

    async def run(self) -> Balance:
        """Type the whole trace."""
        moment = self._desk.now()
        while not self._written.is_done:
            gap_s = self._written.next_edit.gap_s
            if "moved" in self._asks_after:
                await self._move(moment + MOVE_SHARE * gap_s)
            moment += gap_s
            await self._desk.until(moment)
            if wanted := self._wanted():
                self._accept(*wanted)
                moment = self._desk.now()
            else:
                self._press()
        await self._desk.until(moment + 1)
        self._drop()
        return self.balance

    def _wanted(self) -> tuple[str, int] | None:
        """Return the part of the suggestion to accept, and the keys for it."""
        typed = self._written.next_edit.typed
        if not self._shown.text or self._desk.now() - self._shown_at < REACTION_S:
            return None
        if typed is None or typed.offset != self._written.offset:
            return None
        ahead = self._written.ahead()
        for part, keys in wishes(self._shown.text, ahead, self._habit):
            part = self._written.whole_edits(part)
            if len(part) - keys >= LEAST_SAVED:
                return part, keys
        return None

    def _accept(self, part: str, keys: int) -> None:
        begun = self._written.n_edits
        edit = self._written.accept(part)
        self.balance.edits += self._written.n_edits - begun
        self._desk.change((edit,))
        self.balance.accepted_chars += len(part)
        self.balance.accept_keys += keys
        if part == self._shown.text.rstrip("\n"):
            self._desk.accepted(self._shown)
        self._shown = Shown(self._shown.text[len(part) :], self._shown.id)
        self._shown_at = self._desk.now()
        self._ask()

    async def _move(self, when: float) -> None:
        """Move to where the next edit is, some time before it."""
        await self._desk.until(when)
        if self._written.move():
            self._shown = Shown()
            self._ask()

    def _press(self) -> None:
        was_at, typed = self._written.offset, self._written.next_edit.typed
        self._desk.change(self._written.type_next())
        if typed is None:
            self._drop()
            self._shown = Shown()
            if "deleted" in self._asks_after:
                self._ask()
            return
        self.balance.edits += 1
        self.balance.typed_chars += len(typed.text) if len(typed.text) <= MOST_TYPED else 0
        goes_on = typed.offset == was_at and self._shown.text.startswith(typed.text)
        self._shown = Shown(self._shown.text[len(typed.text) :], self._shown.id) if goes_on else Shown()
        self._ask()

    def _drop(self) -> None:
        if self._pending and not self._pending.done():
            self._pending.cancel()
        self._pending = None

    def _ask(self) -> None:
        self._drop()
        self._written.remember()
        self._pending = asyncio.create_task(self._desk.ask())
        self._pending.add_done_callback(self._show)

    def _show(self, task: asyncio.Task[Shown]) -> None:
        if task.cancelled() or task is not self._pending:
            return
        new, old = task.result(), self._shown
        if new.text == old.text:
            return
        self._shown, self._shown_at = new, self._desk.now()
        if new.text:
            self._count(new.text, old.text)

    def _count(self, new: str, old: str) -> None:
        ahead, balance = self._written.ahead(), self.balance
        more = new[len(old) :] if old and new.startswith(old) else new
        right = common_start(new, ahead)
        balance.paints += 1
        balance.painted.append((self._written.n_edits, new))
        balance.wrong_chars += min(len(more), len(new) - right)
        balance.words_read += len(WORD.findall(more))
        word = WORD.match(new)
        balance.first_word_wrong += word is None or not ahead.startswith(word.group())


def wishes(shown: str, ahead: str, habit: Habit) -> list[tuple[str, int]]:
    """Return what a user would accept of a suggestion, best first, and the keys for it."""
    lines = shown.rstrip("\n").split("\n")
    for count in range(len(lines), 0, -1):
        part = "\n".join(lines[:count])
        if ahead.startswith(part):
            return [(part, 1)]
    return [right_words(shown, ahead)] if habit == "words" else []


def right_words(shown: str, ahead: str) -> tuple[str, int]:
    """Return the leading words that are typed next, and how many; a last one of one character is typed faster."""
    ends = [0]
    for match in WORD.finditer(shown):
        if not ahead.startswith(shown[: match.end()]):
            break
        ends.append(match.end())
    while len(ends) > 1 and ends[-1] - ends[-2] < 2:
        ends.pop()
    return shown[: ends[-1]], len(ends) - 1
