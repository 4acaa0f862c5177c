"""Checks whether two lines are equal apart from blanks, kind of quotes, a last comma or semicolon, and a
comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_lsp.core.text.languages import Language, without_comment

# Characters without blanks. A shorter line, such as `}` and `else:`, recurs without being a repetition.
TELLING_LINE_CHARS = 5
# From this length on, comments need not agree. Tables of short values with a comment each are common: `NULL, /* tp_call
# */`.
STATEMENT_CHARS = 12
_BLOCK_COMMENT = re.compile(r"/\*[^*]*\*/\s*$")
_QUOTED = "\"'`"
_QUOTE_MARKS = ('"', "'")
_QUOTES = str.maketrans('"`', "''")
_FENCE = re.compile(r"\s*```[\w+-]*\s*")
_NO_WORD = re.compile(r"[\W_]+")
_WORD_OR_MARK = re.compile(r"\w+|[^\w\s]")
# Words and marks of a line that are compared.
MAX_TOKENS, MAX_TOKEN_CHARS = 40, 200
# Words and marks that form the beginning of a command: `rm -rf`.
COMMAND_TOKENS = 3


def bare(line: str) -> str:
    """Return a line without irrelevant parts except its comment: blanks, kind of quotes, last comma or
    semicolon.
    """
    return "".join(line.split()).translate(_QUOTES).rstrip(",;")


def is_same_line(one: str, other: str, language: Language) -> bool:
    """Check whether two lines differ only in irrelevant parts; of two comments, one must begin with the other."""
    first, other_first = one.lstrip()[:1], other.lstrip()[:1]
    if first != other_first and not (first in _QUOTED and other_first in _QUOTED):
        return False  # decides most cases: this runs for each line of an answer
    if bare(one) == bare(other):
        return True
    (code, comment), (other_code, other_comment) = _parts(one, language), _parts(other, language)
    if len(code) < TELLING_LINE_CHARS or code != other_code:
        return False
    if len(code) >= STATEMENT_CHARS and any(map(str.isalpha, code)):
        return True
    shorter, longer = sorted((comment, other_comment), key=len)
    return longer.startswith(shorter)


def is_telling(line: str) -> bool:
    """Check whether a line is distinctive enough to be recognized when it recurs."""
    return len(bare(line)) >= TELLING_LINE_CHARS


def _parts(line: str, language: Language) -> tuple[str, str]:
    """Split a line into its bare code and its comment's words; a line with only a comment counts as code."""
    # Vim's comments begin with a quote, like its strings.
    code = line if language.line_comment in _QUOTE_MARKS else without_comment(line, language)
    if language.block_comment[0] == "/*" and (found := _BLOCK_COMMENT.search(code)):
        code = code[: found.start()]
    if not code.strip():
        return bare(line), ""
    return bare(code), _NO_WORD.sub("", line[len(code) :])


def is_fence(line: str) -> bool:
    """Check whether a line is a Markdown code fence."""
    return _FENCE.fullmatch(line) is not None


def tokens_of(line: str) -> tuple[str, ...]:
    """Return a line's first words and marks."""
    return tuple(_WORD_OR_MARK.findall(line[:MAX_TOKEN_CHARS])[:MAX_TOKENS])


def is_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Check whether two lines, as tokens, are equal except for one stretch that is no longer than the rest.

    For commands such as `rm -rf build`, the beginning is enough.
    """
    shorter = min(len(one), len(other))
    head = 0
    while head < shorter and one[head] == other[head]:
        head += 1
    if head >= COMMAND_TOKENS and "(" not in one[:head] and "=" not in one[:head]:
        return True
    tail = 0
    while tail < shorter - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    return max(len(one), len(other)) - head - tail <= head + tail
