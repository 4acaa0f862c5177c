"""A typing session generated from a seed: a user writes a file, pauses, mistypes and goes back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.core.text.text import Edit, Point, Text

# Seconds. Gaps between keys of three recorded sessions: the median, and the share and length of pauses.
KEY_GAP_S = 0.15
PAUSE_SHARE = 0.06
PAUSE_S = 1.5
# Of all keys: mistyped and taken back at once; and of all lines: left for another place and come back to.
TYPO_SHARE = 0.03
LEAVE_SHARE = 0.15
# Characters before the cursor by which a prompt is recognised.
TELLING_CHARS = 48


@dataclass(frozen=True, slots=True)
class Key:
    """One edit: `deleted` characters before `offset` go, and `text` comes."""

    gap_s: float
    offset: int
    deleted: int
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """The text before it, and its keys."""

    start: str
    keys: tuple[Key, ...]
    language: str
    tail: str = ""
    """The text after it; begins with a line's end."""

    def ahead(self, key_idx: int, offset: int, limit: int = 400) -> str:
        """Return what is typed next at `offset`, from a keystroke on: what a perfect model would answer."""
        text = ""
        for key in self.keys[key_idx:]:
            if key.deleted or key.offset != offset or len(text) >= limit:
                break
            text += key.text
            offset += len(key.text)
        return text


class Manuscript:
    """A session as it is written: its text so far, and what comes next."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.text = Text.of(session.start + session.tail)
        self.key_idx = 0
        self.offset = len(session.start)

    def write(self, deleted: int, new: str) -> Edit:
        """Delete and insert at the cursor, on its line."""
        end = self.cursor
        edit = Edit(Point(end.line, end.column - deleted), end, new)
        self.text = self.text.edit(edit.start, edit.end, new)
        self.offset += len(new) - deleted
        return edit

    @property
    def cursor(self) -> Point:
        """The place that is written at: all before the tail is the session's."""
        line_idx = self.text.line_count - 1 - self.session.tail.count("\n")
        return Point(line_idx, len(self.text.line(line_idx)))

    def ahead(self) -> str:
        """Return what is typed from here on."""
        return self.session.ahead(self.key_idx, self.offset)

    def foretell(self, prompt: str) -> tuple[str, int]:
        """Return what is typed after the end of a prompt, and where; nothing if the prompt is not recognized.

        It may end a little before the cursor, since the last blank of an indentation is left to the model, or
        behind it, since it may ask as if a suggestion were accepted. It is plain text, or Qwen's template.
        """
        before, _, after = prompt.partition("<|fim_suffix|>")
        asked = before + after.rpartition("<|fim_middle|>")[2]
        line = self.text.slice(Point(max(0, self.cursor.line - 3), 0), self.cursor)
        for left_out in (0, 1):
            told, rest = line[: len(line) - left_out], line[len(line) - left_out :]
            found = asked.rfind(told[-TELLING_CHARS:])
            if not told or found < 0:
                continue
            since, ahead = asked[found + len(told[-TELLING_CHARS:]) :], rest + self.ahead()
            if ahead.startswith(since):
                return ahead[len(since) :], self.offset - left_out + len(since)
        return "", self.offset


def session_from(path: Path, language: str, seed: int, n_keys: int, tail_share: float = 0.0) -> Session:
    """Write what follows a file's first half, a key at a time; its last part may stand there already."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    middle, last = len(lines) // 2, len(lines) - int(len(lines) * tail_share)
    start = "".join(lines[:middle])
    tail = "\n" + "".join(lines[last:]) if tail_share else ""
    keys = _typed("".join(lines[middle:last]), len(start), random.Random(seed))
    return Session(start, tuple(key for key, _ in zip(keys, range(n_keys), strict=False)), language, tail)


def _typed(text: str, offset: int, dice: random.Random) -> Iterator[Key]:
    for character in text:
        gap_s = dice.lognormvariate(0, 0.5) * KEY_GAP_S
        if dice.random() < PAUSE_SHARE or (character == "\n" and dice.random() < LEAVE_SHARE):
            gap_s = dice.expovariate(1 / PAUSE_S)
        if dice.random() < TYPO_SHARE and character.isalnum():
            yield Key(gap_s, offset, 0, "x")
            yield Key(KEY_GAP_S, offset + 1, 1, "")
            gap_s = KEY_GAP_S
        yield Key(gap_s, offset, 0, character)
        offset += 1
