"""Answers of a real model at every typed position of a session, with the log-probabilities of their tokens.

A file has one JSON object a line, and may be gzipped; benchmarks/README.md describes it. Answers that follow from an
earlier one are left out: if what was typed since is how that answer began, its rest is the answer.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.trace import TypingTrace

# Characters that must be left of an answer that the token limit ended, so that its rest counts as an answer.
LEAST_REST = 16

End = Literal["stop", "limit", "line"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an answer; `logprob` is natural, as the API reports it."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """What a model wrote after a number of edits of the whole session."""

    edit: int
    cursor: int
    """An offset in the text after those edits."""
    begins: str
    """The text before the cursor that the prompt left out: the tokens begin with it, forced by a grammar."""
    tokens: tuple[Token, ...]
    end: End
    """"stop": the model ended it; "limit": the token limit; "line": reading ended after a line, see `record.py`."""

    @property
    def text(self) -> str:
        """The whole answer, with what it was forced to begin with."""
        return "".join(token.text for token in self.tokens)

    def after(self, typed: str) -> tuple[Token, ...] | None:
        """Return what is left once `typed` was typed at its cursor; None if that differs, or too little is left.

        A token in which the cursor stands is cut; its log-probability is kept.
        """
        text, skipped = self.text, self.begins + typed
        if not text.startswith(skipped):
            return None
        rest = text[len(skipped) :]
        if typed and (not rest.strip() or (self.end == "limit" and len(rest) < LEAST_REST)):
            return None
        return tuple(_after(self.tokens, len(skipped)))


class Recording:
    """The answers of a part of a session, in order."""

    def __init__(self, answers: Sequence[RecordedAnswer]) -> None:
        self._by_edit = {answer.edit: answer for answer in answers}

    def find(self, trace: TypingTrace, n_edits: int) -> tuple[tuple[Token, ...], End] | None:
        """Return the answer at the cursor after so many edits of a trace, and how it ended; None if not recorded."""
        typed = ""
        for count in range(n_edits, -1, -1):
            answer = self._by_edit.get(trace.first + count)
            tokens = answer.after(typed) if answer else None
            if answer is not None and tokens is not None:
                return tokens, answer.end
            before = trace.edits[count - 1].typed if count else None
            if answer is not None or before is None or not _goes_on(trace, count - 1):
                return None
            typed = before.text + typed
        return None

    def add(self, answer: RecordedAnswer) -> None:
        """Add an answer."""
        self._by_edit[answer.edit] = answer


def read_recording(path: Path) -> Recording:
    """Read a file, which may not exist yet; a last line that was not written whole is left out."""
    if not path.exists():
        return Recording(())
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode()
    return Recording([_parsed(json.loads(line)) for line in text.split("\n")[:-1]])


def to_line(answer: RecordedAnswer) -> str:
    """Return an answer as a line of a file."""
    row = asdict(answer) | {"tokens": [[token.text, round(token.logprob, 3)] for token in answer.tokens]}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _parsed(row: Any) -> RecordedAnswer:
    tokens = tuple(Token(text, logprob) for text, logprob in row["tokens"])
    return RecordedAnswer(row["edit"], row["cursor"], row["begins"], tokens, row["end"])


def _goes_on(trace: TypingTrace, idx: int) -> bool:
    """Check whether an edit was typed where the one before it ended; at a trace's start there is none."""
    typed, before = trace.edits[idx].typed, trace.edits[idx - 1].patches if idx else ()
    if typed is None or not before:
        return False
    return typed.offset == before[-1].offset + len(before[-1].text)


def _after(tokens: Sequence[Token], skipped: int) -> Iterator[Token]:
    for token in tokens:
        if len(token.text) > skipped:
            yield Token(token.text[skipped:], token.logprob)
        skipped = max(0, skipped - len(token.text))
