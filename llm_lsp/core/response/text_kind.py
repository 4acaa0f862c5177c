"""Whether a place in a text is code, a comment, a string or prose, found by reading the text before it.

The reading begins a bounded number of characters earlier, in what is taken for code.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from llm_lsp.core.text.languages import Language

# Characters before a place that are read. A docstring's beginning is mostly found in them: 30 lines of 80 characters.
LOOK_CHARS = 2400


class TextKind(Enum):
    """What stands at a place."""

    CODE = "code"
    COMMENT = "comment"
    STRING = "string"
    PROSE = "prose"


def kind_at_end(text: str, language: Language) -> TextKind:
    """Return what stands at the end of a text; only its last LOOK_CHARS are read, from a line's start on."""
    if language.is_prose:
        return TextKind.PROSE
    if len(text) > LOOK_CHARS:
        text = text[-LOOK_CHARS:].partition("\n")[2]
    mark, end = language.block_comment
    at = _end_of_begun_comment(text, mark, end)
    pattern = _openers(language)
    while match := pattern.search(text, at):
        closer = {"comment": "\n", "block": end, "long": match.group()}.get(match.lastgroup or "", "")
        if closer:
            at = text.find(closer, match.end())
            if at < 0:
                return TextKind.STRING if match.lastgroup == "long" else TextKind.COMMENT
            at += len(closer)
        elif match.lastgroup == "lone" and "\n" not in text[match.end() :]:
            return TextKind.STRING
        else:
            at = match.end()
    is_inside = mark == "/*" and text.rpartition("\n")[2].lstrip().startswith("* ")
    return TextKind.COMMENT if is_inside else TextKind.CODE


def _end_of_begun_comment(text: str, mark: str, end: str) -> int:
    """Return where a comment ends that began before the text, 0 if there is none; `**/*` ends none."""
    at = text.find(end) if end else -1
    if at < 0 or mark in text[:at]:
        return 0
    stands_alone = not text[:at].rpartition("\n")[2].strip() or text[at - 1].isspace()
    behind = at + len(end)
    return behind if stands_alone or not text[behind:].partition("\n")[0].strip() else 0


@lru_cache(maxsize=64)
def _openers(language: Language) -> re.Pattern[str]:
    """Compile what begins a string or a comment, the longest first; a string that ends on its line is one match."""
    parts = []
    if language.long_strings:
        parts.append(f"(?P<long>{'|'.join(map(re.escape, language.long_strings))})")
    if language.block_comment[0]:
        parts.append(f"(?P<block>{re.escape(language.block_comment[0])})")
    if language.line_comment:
        # Not in an address, `http://`, nor in `$#` and `a%b`.
        parts.append(rf"(?P<comment>(?:^|(?<=[\s;{{}}()])){re.escape(language.line_comment)})")
    if not language.line_comment.startswith('"'):
        parts.append(r'"(?:[^"\\\n]|\\.)*"')
    parts += [r"(?<![^\W_])'(?:[^'\\\n]|\\.)*'", "(?P<lone>[\"`]|(?<![^\\W_])')"]
    return re.compile("|".join(parts), re.MULTILINE)
