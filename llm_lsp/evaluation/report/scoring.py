"""Scores how near an answer comes to the text that was cut out."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.syntax import parse
from llm_lsp.core.text.text import Text


@dataclass(frozen=True, slots=True)
class Score:
    """How good one answer is."""

    exact: bool
    """The text that was cut out, but for white space at line ends."""
    similarity: float
    """1 less the share of characters that would have to be edited; 0 for no answer."""
    first_line: bool
    """Its first line is right."""
    syntax: bool | None
    """It leaves the file's syntax whole; None for no answer."""


NOTHING = Score(exact=False, similarity=0.0, first_line=False, syntax=None)


def score(expected: str, answer: str, syntax: bool | None = None) -> Score:
    """Compare an answer with what was cut out; an answer without text scores as none.

    Where nobody could parse the file (`syntax` is None), the answer is to leave the same brackets and quotes open.
    """
    expected, answer = _plain(expected), _plain(answer)
    if not answer.strip():
        return NOTHING
    return Score(
        exact=answer == expected,
        similarity=similarity(expected, answer),
        first_line=_first_line(answer) == _first_line(expected),
        syntax=_shape(answer) == _shape(expected) if syntax is None else syntax,
    )


def keeps_syntax(original: Text, filled: Text, language: str) -> bool | None:
    """Return whether a file still parses in its language; None if it did not before, or has no grammar."""
    before, after = (parse(str(text), language) for text in (original, filled))
    if before is None or after is None or before.has_error:
        return None
    return not after.has_error


def similarity(one: str, other: str) -> float:
    """Return 1 minus the Levenshtein distance over the longer text's length, as CrossCodeEval reports it.

    https://arxiv.org/abs/2310.11248, section 3.2. Two empty texts are the same.
    """
    longest = max(len(one), len(other))
    return 1 - _distance(one, other) / longest if longest else 1.0


def _distance(one: str, other: str) -> int:
    """Count the insertions, deletions and replacements between two texts, row by row."""
    row = list(range(len(other) + 1))
    for row_idx, character in enumerate(one, 1):
        diagonal, row[0] = row[0], row_idx
        for idx, against in enumerate(other, 1):
            diagonal, row[idx] = (
                row[idx],
                diagonal if character == against else 1 + min(diagonal, row[idx], row[idx - 1]),
            )
    return row[-1]


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()


def _first_line(text: str) -> str:
    return text.lstrip("\n").partition("\n")[0].strip()


def _shape(code: str) -> tuple[str, str]:
    found = loose(code)
    return "".join(closer for closer, _ in found.closers), found.openers
