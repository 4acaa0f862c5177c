"""How the current line begins in a prompt, and how the answer is joined to it.

A cursor may be in the middle of a token: a model writes ` return` and `.append` as one token each, and has
rarely seen a prompt that ends in ` ` or `.app`. So the prompt leaves out the last blank of an indentation and, if
the API can force the answer to begin with it, the last word or run of marks; both are removed from the answer.
If the API cannot, only an operator is left out, which models usually write again; any other line with text goes
whole before the middle token, as in the families' training.

Measured with Qwen2.5-Coder 0.5B on HumanEval's lines (40, seed 1), as share of passes and number of empty
answers. Cursor on an indented empty line: with the blank 0.15 and 13, without it 0.53 and 1. Cursor inside the
line, which follows the middle token: with the partial word 0.33 and 2; without it, forced by a grammar, 0.73
and 0; without it, not forced, 0.65 and 7. With the line before the middle token: 0.63 and 1 (the standard error
at 40 is 0.08), but then everything after it is read again at each keystroke.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.expected_indent import expected_indent
from llm_lsp.core.text.text import is_word_char
from llm_lsp.core.text.window import Window

# A longer word has many tokens, and Chinese has no blanks between words.
MAX_WORD_CHARS = 32
# The end of a line that a model would write as one token: a word with the blank or mark before it, a blank, or a run of
# marks with the blank before it, ` <=` and not `=`: docs/adr/0044 has the figures.
_LAST_TOKEN = re.compile(r"(\s|[^\w\s])?\w+$|\s$| ?[^\w\s]+$")
# Characters that could form one operator with those before the blank.
_OPERATORS = "=<>!&|+-*/%^~:.?"
# An operator between two values, with the blank before it. Other marks may begin a value, a tag, a comment or a member.
_OPERATOR = re.compile(r" (?:[-=<>!&|+*/%^~]*=[=>~]?|&&|\|\||[-=]>|<<|>>|\|>|[+%|^>])$")


@dataclass(frozen=True, slots=True)
class LineStart:
    """The current line before the cursor, divided where a token may begin."""

    sent: str
    """The part in the prompt."""
    begins: str
    """The part with which the answer must begin."""
    after_middle: bool
    """Whether it may follow the middle token: the prompt does not end in a partial word."""
    added: str = ""
    """The indentation that an empty line will have, which the prompt has and the document does not."""


def line_start(window: Window, *, forced: bool, after_middle: bool = True) -> LineStart:
    """Divide the current line.

    `forced` means that the API makes the answer begin with the second part, `after_middle` that the line may follow
    the middle token.
    """
    added = "" if window.line_prefix else expected_indent(window)
    line = window.line_prefix or added
    if forced:
        begins = last_token(line)
    elif line.isspace():
        begins = line[-1:]
    else:
        begins = _last_operator(line) if after_middle else ""
    return LineStart(line.removesuffix(begins), begins, forced or begins != "" or not line.strip(), added)


def _last_operator(line: str) -> str:
    """Return the operator at a line's end; "" if it is all of the line, which only it tells to be a comment or
    a list.
    """
    found = _OPERATOR.search(line[-MAX_WORD_CHARS - 1 :])
    return found.group() if found and line.removesuffix(found.group()).strip() else ""


def last_token(line: str) -> str:
    """Return the end of a line that a model would write as one token with what may come next."""
    found = _LAST_TOKEN.search(line[-MAX_WORD_CHARS - 1 :])
    return found.group() if found else ""


class Rejoin:
    """Joins an answer to the line: removes what it had to begin with, adds an indentation that was only sent."""

    finish: Finish | None = None

    def __init__(self, start: LineStart, *, forced: bool) -> None:
        self.refused = False
        """Whether the answer contradicts what the user has typed."""
        self._start = start
        self._is_indentation = not forced and start.begins == " " and not start.sent.strip()
        self._waiting: str | None = ""
        """Text that may still be the beginning; None once that is complete."""

    def feed(self, piece: str) -> str:
        """Return the part of a piece that belongs after the line's prefix."""
        if self._waiting is None or self.refused:
            return "" if self.refused else piece
        self._waiting += piece
        begins = self._start.begins
        may_be_white = self._is_indentation or self._start.added
        if begins.startswith(self._waiting) or (may_be_white and not self._waiting.strip(" \t")):
            return ""
        answer, self._waiting = self._waiting, None
        white = answer[: len(answer) - len(answer.lstrip())]
        if self._start.added and white != begins:
            return answer  # the line has an indentation of its own, or is blank
        if not (self._is_indentation and self._is_whole(answer)):
            if answer.startswith(begins):
                answer = answer.removeprefix(begins)
            else:
                self.refused = not begins.isspace() or _is_one(self._start.sent[-1:], answer[:1])
        return "" if self.refused else self._start.added + answer

    def end(self) -> str:
        """Return nothing: what is left is only the beginning, which the line already has."""
        return ""

    def _is_whole(self, answer: str) -> bool:
        """Check whether an answer continues at the cursor, as if the indentation before it were complete.

        Lines begin at even columns, except in comments with stars; an answer that would not does so.
        """
        code = answer.lstrip(" ")
        column = len(self._start.sent) + len(answer) - len(code)
        return column % 2 == 1 and len(self._start.sent) % 2 == 1 and not code.startswith("*")


def _is_one(last: str, first: str) -> bool:
    """Check whether the answer continues the word or operator before the blank."""
    word = is_word_char(last) and is_word_char(first)
    return word or (last != "" and last in _OPERATORS and first in _OPERATORS)
