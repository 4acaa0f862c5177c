"""Scores how close an answer is to the text that was cut out."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.syntax import parse
from llm_lsp.core.text.text import Text


@dataclass(frozen=True, slots=True)
class Score:
    """How good an answer is."""

    exact: bool
    """Whether it equals the text that was cut out, apart from white space at line ends."""
    similarity: float
    """1 minus the share of characters that would have to be edited; 0 without an answer."""
    first_line: bool
    """Whether its first line is right."""
    syntax: bool | None
    """Whether the file with it still parses; None without an answer."""


NOTHING = Score(exact=False, similarity=0.0, first_line=False, syntax=None)


def score(expected: str, answer: str, syntax: bool | None = None) -> Score:
    """Compare an answer with the text that was cut out; an empty answer scores as none.

    If the file cannot be parsed (`syntax` is None), check that the answer leaves the same brackets and quotes open.
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
    """Check whether a file still parses; None if it did not before, or its language has no grammar."""
    before, after = (parse(str(text), language) for text in (original, filled))
    if before is None or after is None or before.has_error:
        return None
    return not after.has_error


def similarity(one: str, other: str) -> float:
    """Return 1 minus the Levenshtein distance divided by the longer text's length, as in CrossCodeEval.

    https://arxiv.org/abs/2310.11248, section 3.2. Two empty texts are equal.
    """
    longest = max(len(one), len(other))
    return 1 - _distance(one, other) / longest if longest else 1.0


def _distance(one: str, other: str) -> int:
    """Return the Levenshtein distance of two texts."""
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
