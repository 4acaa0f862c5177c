"""The states through which a commit is made: some hunks are applied, some remain, with the edit history so far.

A commit does not reveal the order of its changes, so each is made twice: from top to bottom, and in random order.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from llm_lsp.core.context.edit_history import EditHistory
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text, advance, common_start
from llm_lsp.evaluation.corpus.commit_history import CommitChange, FileChange, Hunk

Order = Literal["down", "drawn"]
ORDERS: tuple[Order, ...] = ("down", "drawn")
# Seconds from one hunk to the next, for reading and typing. A history keeps five minutes, so 15 of them.
HUNK_S = 20.0


@dataclass(frozen=True, slots=True)
class EditState:
    """A file in the middle of a commit."""

    id: str
    """Identifies the state within the same repository and seed."""
    path: str
    order: Order
    is_half_typed: bool
    """Whether the last hunk is incomplete and ends at the cursor."""
    document: Document
    history: EditHistory
    now: float
    """Time in seconds, by the clock of the history."""
    cursor: Point
    remaining: tuple[Hunk, ...]
    """The remaining hunks from top to bottom, with line numbers of `document`; empty if the file is finished."""


def states(commit: CommitChange, seed: int) -> Iterator[EditState]:
    """Yield the states of all files of a commit in both orders, each hunk half typed and whole.

    The history continues from file to file, as in an editor.
    """
    for order in ORDERS:
        rng = Random(f"{seed} {commit.id} {order}")
        files = list(commit.files)
        if order == "drawn":
            rng.shuffle(files)
        history, now = EditHistory(), 0.0
        for file in files:
            making = _Making.of(file)
            for number in _turns(file, order, rng):
                name = f"{commit.id[:12]}:{file.path}:{order}:{number}"
                half = making.half_typed(number, rng)
                if half is not None:
                    yield half.state(f"{name}:half", order, history, now, is_half_typed=True)
                done = making.made(number)
                yield done.state(name, order, history, now, is_half_typed=False)
                history, now = done.history(history, now), now + HUNK_S
                making = done


def _turns(file: FileChange, order: Order, rng: Random) -> list[int]:
    turns = list(range(len(file.hunks)))
    if order == "drawn":
        rng.shuffle(turns)
    return turns


@dataclass(frozen=True, slots=True)
class _Making:
    """A file with some hunks applied, the last one by `edit`."""

    path: str
    before: Document
    """The text before the last hunk."""
    document: Document
    edit: Edit | None
    cursor: Point
    remaining: tuple[tuple[int, Hunk], ...]
    """Numbers and hunks, with line numbers of `document`."""

    @classmethod
    def of(cls, file: FileChange) -> _Making:
        document = Document(f"file:///{file.path}", file.language, 1, file.before)
        return cls(file.path, document, document, None, Point(0, 0), tuple(enumerate(file.hunks)))

    def made(self, number: int) -> _Making:
        """Return the file with one more hunk."""
        hunk = dict(self.remaining)[number]
        rest = tuple(
            (other, each if each.start < hunk.start or other < number else each.moved(hunk.grown))
            for other, each in self.remaining
            if other != number
        )
        edit = Edit(Point(hunk.start, 0), hunk.end(self.document.text), "".join(hunk.new))
        return self._with(edit, _change_end(hunk), rest)

    def half_typed(self, number: int, rng: Random) -> _Making | None:
        """Return the file with part of a hunk, up to a likely typing pause; None if nothing is typed in the
        hunk.
        """
        hunk = dict(self.remaining)[number]
        old, new = "".join(hunk.old), "".join(hunk.new)
        head, tail = _agreeing_ends(old, new)
        typed = new[head : len(new) - tail]
        kept = break_off(typed, rng)
        if not kept:
            return None
        half = new[:head] + kept + new[len(new) - tail :]
        if new.endswith("\n") and not half.endswith("\n"):
            half += "\r\n" if new.endswith("\r\n") else "\n"
        lines = _lines(half)
        made = replace(hunk, new=lines)
        edit = Edit(Point(hunk.start, 0), hunk.end(self.document.text), half)
        rest = tuple(
            (other, replace(hunk, old=lines))
            if other == number
            else (other, each if each.start < hunk.start or other < number else each.moved(made.grown))
            for other, each in self.remaining
        )
        return self._with(edit, advance(Point(hunk.start, 0), new[:head] + kept), rest)

    def state(
        self, name: str, order: Order, history: EditHistory, now: float, *, is_half_typed: bool
    ) -> EditState:
        """Return what an editor sees right after the last hunk; `history` is the one before it."""
        return EditState(
            id=name,
            path=self.path,
            order=order,
            is_half_typed=is_half_typed,
            document=self.document,
            history=self.history(history, now),
            now=now,
            cursor=self.cursor,
            remaining=tuple(hunk for _, hunk in self.remaining),
        )

    def history(self, before: EditHistory, now: float) -> EditHistory:
        """Return the history including the last hunk."""
        return before.edited(self.before, self.document, (self.edit,), now) if self.edit else before

    def _with(self, edit: Edit, cursor: Point, remaining: tuple[tuple[int, Hunk], ...]) -> _Making:
        old = self.document
        text = old.text.edit(edit.start, edit.end, edit.text)
        document = Document(old.uri, old.language, old.version + 1, text)
        return _Making(self.path, old, document, edit, text.clamp(cursor), remaining)


def _change_end(hunk: Hunk) -> Point:
    """Return where the last character of a hunk was typed or deleted."""
    old, new = "".join(hunk.old), "".join(hunk.new)
    _, tail = _agreeing_ends(old, new)
    typed = new[: len(new) - tail]
    # A line end within the hunk is typed before the next line's first character.
    return advance(
        Point(hunk.start, 0), typed.removesuffix("\n").removesuffix("\r") if not hunk.old else typed
    )


def _agreeing_ends(old: str, new: str) -> tuple[int, int]:
    """Count the characters that two texts share at the beginning and, in the rest, at the end."""
    head = common_start(old, new)
    limit = min(len(old), len(new)) - head
    tail = common_start(old[::-1][:limit], new[::-1][:limit])
    return head, tail


def _lines(text: str) -> tuple[str, ...]:
    whole = Text.of(text)
    return tuple(line for line in whole.lines(0, whole.line_count) if line)


# Likelihood of a typing pause by the character before it: Zed's weights
# (zed-industries/zed, crates/edit_prediction_cli/src/split_commit.rs).
def _pause_weight(before: str, after: str) -> int:
    if before in ",;:([{":
        return 10
    if before in ")]}" or (before.isalnum() and not after.isalnum()):
        return 8
    if before.isspace():
        return 6
    return 1 if before.isalnum() or before == "_" else 5


def break_off(typed: str, rng: Random) -> str:
    """Return the beginning of a typed text, up to a likely pause; "" if it is too short to split."""
    if len(typed) < 2:
        return ""
    places = range(1, len(typed))
    weights = [_pause_weight(typed[at - 1], typed[at]) for at in places]
    return typed[: rng.choices(places, weights)[0]]
