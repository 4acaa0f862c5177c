"""How the current line begins in a prompt, and how the answer joins on to it.

Tokens are not cut where a cursor stands: a model writes ` return` and `.append` as one token, and has hardly
seen a prompt that ends in ` ` or `.app`. So the end of the line is left to the model and taken off its answer:
the last blank of an indentation, and, where the API can hold the answer to it, the last word or run of marks. Where it
cannot, the model is only hoped to write an operator again, and any other line with text goes before the middle token,
whole, as in the families' training.

Measured with Qwen2.5-Coder 0.5B on HumanEval's lines (40, seed 1), pass and empty answers. Cursor on an indented
empty line: with the blank 0.15 and 13, without 0.53 and 1. Cursor inside the line, which stands after the middle
token: with the half word 0.33 and 2; without it, and held by a grammar, 0.73 and 0; only hoped for, 0.65 and 7.
With the line before the middle token: 0.63 and 1 (the standard error at 40 is 0.08), and all after it is read again at each keystroke.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_lsp.core.generation import Finish
from llm_lsp.core.text.text import is_word_char
from llm_lsp.core.text.window import Window

# A longer word is many tokens, and Chinese has no blanks between its words.
MAX_WORD_CHARS = 32
# The end of a line that a model would write as one token: a word with the blank or mark before it, a blank, or a run of
# marks with the blank before it, ` <=` and not `=`: docs/adr/0044 has the figures.
_LAST_TOKEN = re.compile(r"(\s|[^\w\s])?\w+$|\s$| ?[^\w\s]+$")
# Characters that would have been one operator with what stands before the blank.
_OPERATORS = "=<>!&|+-*/%^~:.?"
# An operator between two values, with the blank before it. Other marks may begin a value, a tag, a comment or a member.
_OPERATOR = re.compile(r" (?:[-=<>!&|+*/%^~]*=[=>~]?|&&|\|\||[-=]>|<<|>>|\|>|[+%|^>])$")


@dataclass(frozen=True, slots=True)
class LineStart:
    """The current line before the cursor, cut in two where a token may begin."""

    sent: str
    """What stands in the prompt."""
    begins: str
    """What the answer is to begin with."""
    after_middle: bool
    """Whether it may stand after the middle token: no half word is broken off by the prompt's end."""


def line_start(window: Window, *, forced: bool, after_middle: bool = True) -> LineStart:
    """Cut the current line.

    `forced` says that the API holds the answer to its beginning, `after_middle` that the line may stand after the middle
    token at all.
    """
    line = window.line_prefix
    if forced:
        begins = last_token(line)
    elif line.isspace():
        begins = line[-1:]
    else:
        begins = _last_operator(line) if after_middle else ""
    return LineStart(line.removesuffix(begins), begins, forced or begins != "" or not line.strip())


def _last_operator(line: str) -> str:
    """Return the operator at a line's end; "" if it is all of the line, which only it tells to be a comment or a list."""
    found = _OPERATOR.search(line[-MAX_WORD_CHARS - 1 :])
    return found.group() if found and line.removesuffix(found.group()).strip() else ""


def last_token(line: str) -> str:
    """Return the end of a line that a model would write as one token with what may come next."""
    found = _LAST_TOKEN.search(line[-MAX_WORD_CHARS - 1 :])
    return found.group() if found else ""


class Rejoin:
    """Joins an answer to the line: takes off what it was to begin with."""

    finish: Finish | None = None

    def __init__(self, start: LineStart, *, forced: bool) -> None:
        self.refused = False
        """Whether the answer contradicts what the user has typed."""
        self._start = start
        self._is_indentation = not forced and start.begins == " " and not start.sent.strip()
        self._waiting: str | None = ""
        """What has come while it may still be the beginning; None once it is past."""

    def feed(self, piece: str) -> str:
        """Return the piece as it belongs after the line's prefix."""
        if self._waiting is None or self.refused:
            return "" if self.refused else piece
        self._waiting += piece
        begins = self._start.begins
        if begins.startswith(self._waiting) or (self._is_indentation and not self._waiting.strip(" ")):
            return ""
        answer, self._waiting = self._waiting, None
        if self._is_indentation and self._is_whole(answer):
            return answer
        if answer.startswith(begins):
            return answer.removeprefix(begins)
        self.refused = not begins.isspace() or _is_one(self._start.sent[-1:], answer[:1])
        return "" if self.refused else answer

    def end(self) -> str:
        """Return nothing: what waits is the beginning of what the line has already."""
        return ""

    def _is_whole(self, answer: str) -> bool:
        """Check whether an answer counts from the cursor, as if the indentation were whole before it.

        Lines stand at even columns, but for the stars of a comment: one that would not counts so.
        """
        code = answer.lstrip(" ")
        column = len(self._start.sent) + len(answer) - len(code)
        return column % 2 == 1 and len(self._start.sent) % 2 == 1 and not code.startswith("*")


def _is_one(last: str, first: str) -> bool:
    """Check whether the answer goes on with the word or operator that the blank has ended."""
    word = is_word_char(last) and is_word_char(first)
    return word or (last != "" and last in _OPERATORS and first in _OPERATORS)
