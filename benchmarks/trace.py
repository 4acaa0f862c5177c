"""Recorded typing sessions in the format of https://github.com/josephg/editing-traces (sequential_traces).

A trace is a JSON object, gzipped or not: `startContent`, and `txns`, each with a `time` and `patches`
[offset, deleted characters, inserted text], each of which counts in the text that the one before left.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.session import Session
from llm_lsp.core.text.text import Edit, Point

# Seconds between two edits: less is the clock's, more is a pause in which the user does something else.
LEAST_GAP_S, MOST_GAP_S = 0.03, 2.0
# Characters in one patch: more is pasted or written by a tool, and no model can know it.
MOST_TYPED = 40


@dataclass(frozen=True, slots=True)
class Patch:
    """`deleted` characters from `offset` on are replaced by `text`."""

    offset: int
    deleted: int
    text: str

    def applied(self, text: str) -> str:
        """Return a text with the change."""
        return text[: self.offset] + self.text + text[self.offset + self.deleted :]


@dataclass(frozen=True, slots=True)
class TraceEdit:
    """What one recorded edit changed, `gap_s` seconds after the one before."""

    gap_s: float
    patches: tuple[Patch, ...]

    @property
    def typed(self) -> Patch | None:
        """The insertion, if it is nothing else."""
        is_typed = len(self.patches) == 1 and not self.patches[0].deleted and self.patches[0].text
        return self.patches[0] if is_typed else None

    def applied(self, text: str) -> str:
        """Return a text with the edit."""
        for patch in self.patches:
            text = patch.applied(text)
        return text


@dataclass(frozen=True, slots=True)
class TypingTrace:
    """A part of a session: the text before it, and its edits."""

    start: str
    edits: tuple[TraceEdit, ...]
    language: str
    name: str = ""
    first: int = 0
    """The number of its first edit in the whole session."""

    def ahead(self, n_edits: int, offset: int, limit: int = 400) -> str:
        """Return what is typed next at `offset` after so many edits, up to the next deletion or jump."""
        text = ""
        for edit in self.edits[n_edits:]:
            typed = edit.typed
            if typed is None or typed.offset != offset + len(text) or len(typed.text) > MOST_TYPED:
                break
            text += typed.text
            if len(text) >= limit:
                break
        return text


LANGUAGES = {"rustcode": "rust", "sveltecomponent": "svelte"}
"""Of the public traces that contain code."""


def read_trace(path: Path, first: int, n_edits: int, language: str = "") -> TypingTrace:
    """Read a part of a recorded session."""
    raw = path.read_bytes()
    data: Any = json.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)
    rows = data["txns"]
    text = data["startContent"]
    for row in rows[:first]:
        text = _edit(row, 0.0).applied(text)
    chosen = rows[first : first + n_edits]
    gaps_s = _gaps_s([datetime.fromisoformat(row["time"]).timestamp() for row in chosen])
    edits = tuple(_edit(row, gap_s) for row, gap_s in zip(chosen, gaps_s, strict=True))
    name = path.name.removesuffix(".gz").removesuffix(".json")
    return TypingTrace(text, edits, language or LANGUAGES.get(name, "plaintext"), name, first)


def trace_of(session: Session) -> TypingTrace:
    """Return a generated session in the form of a recorded one."""
    edits = (
        TraceEdit(key.gap_s, (Patch(key.offset - key.deleted, key.deleted, key.text),))
        for key in session.keys
    )
    return TypingTrace(session.start + session.tail, tuple(edits), session.language, "generated")


def edit_in(text: str, patch: Patch) -> Edit:
    """Return a patch with points instead of offsets."""
    start, end = point_in(text, patch.offset), point_in(text, patch.offset + patch.deleted)
    return Edit(start, end, patch.text)


def point_in(text: str, offset: int) -> Point:
    """Return the line and column of an offset."""
    return Point(text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1)


def _edit(row: Any, gap_s: float) -> TraceEdit:
    return TraceEdit(gap_s, tuple(Patch(*patch) for patch in row["patches"]))


def _gaps_s(times: Sequence[float]) -> Iterator[float]:
    """Yield the seconds before each edit; edits in the same second are spread over it."""
    last = times[0] if times else 0.0
    for idx, time in enumerate(times):
        begin, end = times.index(time), len(times) - times[::-1].index(time)
        moment = time + ((idx - begin) / (end - begin) if time == int(time) else 0.0)
        yield min(max(moment - last, LEAST_GAP_S), MOST_GAP_S)
        last = moment
