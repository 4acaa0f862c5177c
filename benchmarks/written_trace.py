"""A recorded session as it is replayed: its text so far, and where a prompt stands in it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from benchmarks.trace import TraceEdit, TypingTrace, point_in
from llm_lsp.core.prompt.fim_families import FAMILIES
from llm_lsp.core.text.text import Edit, Point, Text

# Characters before the cursor by which a prompt is recognized, and how many of them it may leave out at most: the last
# word, or the last blank.
TAIL_CHARS, MOST_LEFT_OUT = 48, 40
# Requests after which a prompt may still be built: some wait for a pause in typing.
REMEMBERED = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where the user was at a request."""

    before: str
    """The text before the cursor, as far as it is needed."""
    n_edits: int
    cursor: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt asks for: the text typed `n_edits` edits later than the trace's start, at the cursor."""

    n_edits: int
    cursor: int
    since: str
    """What the prompt has behind the cursor, as if it were accepted or typed already."""
    left_out: str
    """The end of the text before the cursor that the prompt does not have."""


class WrittenTrace:
    """A trace, of which some edits are done."""

    def __init__(self, trace: TypingTrace) -> None:
        self.trace = trace
        self.string = trace.start
        self.text = Text.of(trace.start)
        self.n_edits = 0
        self.offset = 0
        """Of the cursor: the end of the last edit."""
        self._places: deque[Place] = deque(maxlen=REMEMBERED)

    @property
    def is_done(self) -> bool:
        return self.n_edits == len(self.trace.edits)

    @property
    def next_edit(self) -> TraceEdit:
        return self.trace.edits[self.n_edits]

    @property
    def cursor(self) -> Point:
        return point_in(self.string, self.offset)

    def move(self) -> bool:
        """Move the cursor to the next edit; return whether it stood elsewhere."""
        patch = self.next_edit.patches[0]
        if self.offset in (patch.offset, patch.offset + patch.deleted):
            return False
        self.offset = patch.offset + patch.deleted
        return True

    def type_next(self) -> tuple[Edit, ...]:
        """Do the next recorded edit."""
        changes = tuple(self._write(*patch_fields) for patch_fields in _fields(self.next_edit))
        self.n_edits += 1
        return changes

    def accept(self, text: str) -> Edit:
        """Insert what is typed next anyway, as whole edits; see `whole_edits`."""
        size = 0
        while size < len(text):
            size += len(self.next_edit.patches[0].text)
            self.n_edits += 1
        return self._write(self.offset, 0, text)

    def whole_edits(self, text: str) -> str:
        """Return the start of a text that the next edits type, without the last one if it types more."""
        size = 0
        for edit in self.trace.edits[self.n_edits :]:
            typed = edit.typed
            if typed is None or size + len(typed.text) > len(text):
                break
            size += len(typed.text)
        return text[:size]

    def ahead(self) -> str:
        """Return what is typed from here on."""
        return self.trace.ahead(self.n_edits, self.offset)

    def remember(self) -> None:
        """Remember the cursor's place, since a request is made there."""
        before = self.string[max(0, self.offset - TAIL_CHARS - MOST_LEFT_OUT) : self.offset]
        self._places.append(Place(before, self.n_edits, self.offset))

    def locate(self, asked: str) -> Asked | None:
        """Find the place of a request by the text that a model is asked to continue."""
        for place in reversed(self._places):
            tail = place.before[-TAIL_CHARS:]
            found = asked.rfind(tail) if tail else -1
            since = asked[found + len(tail) :]
            if found >= 0 and self.trace.ahead(place.n_edits, place.cursor).startswith(since):
                return Asked(place.n_edits, place.cursor, since, "")
        place = self._places[-1] if self._places else Place("", 0, 0)
        for left_out in range(1, min(MOST_LEFT_OUT, len(place.before) - 1) + 1):
            told = place.before[:-left_out]
            if asked.endswith(told[-TAIL_CHARS:]):
                return Asked(place.n_edits, place.cursor, "", place.before[-left_out:])
        return None

    def _write(self, offset: int, deleted: int, new: str) -> Edit:
        start, end = point_in(self.string, offset), point_in(self.string, offset + deleted)
        self.text = self.text.edit(start, end, new)
        self.string = self.string[:offset] + new + self.string[offset + deleted :]
        self.offset = offset + len(new)
        return Edit(start, end, new)


def asked_in(prompt: str) -> str:
    """Return the text that a prompt asks to continue: without the text after the hole, and without a template's tokens."""
    for family in FAMILIES:
        if family.prefix in prompt and family.suffix in prompt and family.middle in prompt:
            _, _, rest = prompt.rpartition(family.prefix)
            if family.suffix in rest:
                before, _, rest = rest.partition(family.suffix)
                return before + rest.rpartition(family.middle)[2]
            return rest.replace(family.middle, "")
    return prompt


def _fields(edit: TraceEdit) -> list[tuple[int, int, str]]:
    return [(patch.offset, patch.deleted, patch.text) for patch in edit.patches]
