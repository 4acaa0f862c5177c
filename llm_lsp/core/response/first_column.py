"""Determines the indentation of an answer's first line from the lines around it.

Plausible code stays where it is: each rule applies only if the language does not allow the indentation, or no
visible block has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from llm_lsp.core.response.filter_context import FilterContext
from llm_lsp.core.text.brackets import CLOSERS, imbalance
from llm_lsp.core.text.indent_style import USUAL_STEPS
from llm_lsp.core.text.languages import (
    Blocks,
    first_word,
    heads_body,
    indent_of,
    opens_block,
    without_comment,
)

# Characters above the cursor that are searched for open brackets.
LOOK_CHARS = 2000
# Lines without any indentation after which a file counts as flat.
FLAT_LINES = 8
# Heads whose bodies are often not indented.
_FLAT_HEAD = re.compile(
    r"\s*(?:(?:inline\s+|export\s+)?(?:namespace|extern|module|switch|select|case)\b|<(?:html|head|body|script|style|pre|template)\b)"
)
# Heads in C-like languages without a brace: one indented line follows.
_BARE_HEAD = re.compile(r"\s*(?:\}\s*)?(?:else\s+)?(?:if|for|while|foreach|else|do)\b[^{;]*$")
_DOCSTRING = re.compile(r"[rRuUbB]{0,2}(\"\"\"|''')")
_METHOD = re.compile(r"(?:async\s+)?def\s+\w+\(\s*(?:self|cls)\b")
# Statements that are at column 0 in most files.
_TOP_LEVEL = re.compile(r"(?:async\s|def|class|import|from)\b|[@#]")
_KEY = re.compile(r"(?:- +)*[\w\"'./$<{-][^#]*?:(?=\s|$)")
_HERE_DOCUMENT = re.compile(r"<<[-~<]?['\"]?[A-Z_]{2,}\b")
_TRIPLES = re.compile(r"\"\"\"|'''")


def first_column(place: FilterContext, line: str, further: Sequence[str] = ()) -> int:
    """Return the column for an answer's first non-blank line, given as it would be in the document.

    `further` has the lines that are known to follow it in the answer.
    """
    own, written = indent_of(place.before), indent_of(line)
    if not place.above:
        return own if own else (written if place.language.is_free else 0)
    if place.language.needs_body and (head := _string_head(place)) is not None:
        return _in_string(place, head, written)
    if own:
        return max(own, _after_indentation(place, line, own, written))
    if place.language.is_free or place.above[-1].endswith("\\") or _HERE_DOCUMENT.search(place.above[-1]):
        return written
    if place.language.has_items:
        return _in_yaml(place, line.strip(), written)
    if heads_body(place.above[-1], place.language):
        return _below_head(place, line.strip(), written, further)
    return _below_line(place, line.strip(), written, further)


def closes(code: str, place: FilterContext) -> bool:
    """Check whether a line, given without indentation, closes or continues a block, as `else` does."""
    if code[:1] in CLOSERS - set("\"'`") or (place.language.has_tags and code.startswith("</")):
        return True
    return first_word(code, place.language) in place.language.middles


def _after_indentation(place: FilterContext, line: str, own: int, written: int) -> int:
    """Keep the indentation that the user or the editor has chosen; only a continuation is deeper."""
    above, base, code = place.above[-1], _head_column(place), line.strip()
    is_head = heads_body(above, place.language)
    if is_head and place.language.needs_body and own <= base and not closes(code, place):
        return written if written > base else body_column(place)
    if written == own:
        return own
    if is_head or opens_block(above, place.language):
        is_deep_enough = own - base >= place.style.columns
        return own if is_deep_enough or not _is_usual(place, written - base) else written
    is_at_depth = own == base and _is_complete(place) and not _goes_on(code)
    return own if is_at_depth else written


def needs_deeper(head: str, inner: str, place: FilterContext) -> bool:
    """Check whether the line below a head must be indented deeper than it; both are without indentation."""
    language = place.language
    if language.needs_body or (language.outdented and language.outdented.match(inner)):
        return language.needs_body
    is_braced = language.blocks is Blocks.BRACES and (
        head.endswith("{") or (language.has_tags and place.before)
    )
    return bool(is_braced) and not _FLAT_HEAD.match(head) and not _is_flat(place)


def _below_head(place: FilterContext, code: str, written: int, further: Sequence[str]) -> int:
    base, mark = _head_column(place), place.language.line_comment
    if closes(code, place) or (mark and further and code.startswith(mark)):
        return written
    if written > base:
        return written if _is_usual(place, written - base) else body_column(place)
    outdented = place.language.outdented
    may_be_flat = place.language.blocks is not Blocks.INDENT or place.language.has_items
    if may_be_flat and (_FLAT_HEAD.match(place.above[-1]) or _is_flat(place)):
        return written
    return written if outdented and outdented.match(code) else body_column(place)


def _below_line(place: FilterContext, code: str, written: int, further: Sequence[str]) -> int:
    above, base = place.above[-1], indent_of(place.above[-1])
    if opens_block(above, place.language) and above.rstrip()[-1:] in "([{":
        # Inside of an open bracket, text may be aligned with anything to its right.
        return written if written or closes(code, place) or _is_flat(place) else body_column(place)
    is_middle = place.language.needs_body and closes(code, place) and _ends_in_colon(code, place)
    if written > base and not is_middle:
        is_free = _goes_on(code) or indent_of(_following(place)) > base
        return base if _is_complete(place) and not is_free else written
    if written == base and not is_middle:
        return written
    if is_middle:
        return _middle_column(place, written)
    if place.language.needs_body:
        return _python_column(place, code, written, further)
    outdented = place.language.outdented
    if written or closes(code, place) or (outdented and outdented.match(code)):
        return written
    if place.language.opening is not None:
        return base
    if code.startswith(place.language.line_comment) or place.language.blocks is not Blocks.BRACES:
        return written
    return _column_in_braces(place) or written


def _python_column(place: FilterContext, code: str, written: int, further: Sequence[str]) -> int:
    """Return the column of a line that is less indented than the one above it, in an indentation-based language."""
    depths = _enclosing(place.above)
    if _is_open(place):
        return written
    if written == 0 and (inner := _inner_column(place, code, depths, further)) is not None:
        return inner
    if written in depths or not depths or written <= min(depths):
        return written
    return min(depths, key=lambda depth: abs(depth - written))


def _inner_column(
    place: FilterContext, code: str, depths: Sequence[int], further: Sequence[str]
) -> int | None:
    """Return the column of a line that was written at column 0 but must be in a block; None if it need not."""
    if place.language.inside and place.language.inside.match(code):
        return depths[0]
    if _METHOD.match(code):
        methods = (indent_of(line) for line in reversed(place.above) if line.lstrip().startswith("def "))
        return next(methods, None)
    if _TOP_LEVEL.match(code) or any(
        heads_body(line, place.language) and line[:1].strip() for line in further
    ):
        return None
    following = indent_of(_following(place))
    # A line that opens a block may head what follows; right after a line in a block it rarely does.
    is_left_open = heads_body(code, place.language) or imbalance("\n".join((code, *further))) > 0
    may_head = is_left_open and following <= depths[0] and place.follows_blank
    return depths[0] if following >= depths[0] and not may_head else None


def _in_yaml(place: FilterContext, code: str, written: int) -> int:
    """Indent YAML: items at their key's column or deeper, an item's keys like its first, nothing below a value."""
    above = place.above[-1]
    dashes = _DASHES.match(above)
    base, inner = indent_of(above), len(dashes.group()) if dashes else indent_of(above)
    is_item, is_key = code.startswith("-"), _KEY.match(code) is not None
    if not (is_item or is_key) or not _KEY.match(above.strip()) or above[-1] in "{[,":
        return written
    if is_in_scalar(place):
        return written
    if heads_body(above, place.language) or _ANCHOR.search(above):
        if written > inner:
            return written if _is_usual(place, written - inner) else inner + place.style.columns
        return inner + place.style.columns if not is_item and written == inner == 0 else written
    if written > inner:
        return inner
    # A key at the column of the dash continues the mapping with the list, if that is at the same column.
    may_be_beside = any(
        indent_of(line) == written and _KEY.match(line.lstrip())
        for line in place.above
        if not _DASHES.match(line)
    )
    return (
        inner
        if dashes and is_key and not is_item and base <= written < inner and not may_be_beside
        else written
    )


_DASHES = re.compile(r"\s*(?:- +)+")
# A key whose value below has an anchor or a tag.
_ANCHOR = re.compile(r":\s+(?:[&!][^\s#]*\s*)+$")
_SCALAR_HEAD = re.compile(r":\s*(?:![\w!]+\s+)?[|>][+-]?\d*\s*$")


def inner_column(column: int, code: str, place: FilterContext) -> int:
    """Return the column that lines below must exceed: that of an item's key, not of its dash."""
    dashes = _DASHES.match(code) if place.language.has_items else None
    return column + len(dashes.group()) if dashes else column


def is_in_scalar(place: FilterContext) -> bool:
    """Check whether the cursor is in a multi-line YAML string, in which colons and dashes have no meaning."""
    if not place.language.has_items:
        return False
    least = indent_of(place.above[-1]) + 1 if place.above else 0
    for line in reversed(place.above):
        if indent_of(line) < least:
            if _SCALAR_HEAD.search(line):
                return True
            least = indent_of(line)
    return False


def body_column(place: FilterContext) -> int:
    """Return the column of lines in the block that the line above opens."""
    base = _head_column(place)
    below = indent_of(_following(place))
    return below if below > base and _is_usual(place, below - base) else base + place.style.columns


def _following(place: FilterContext) -> str:
    """Return the non-blank line that follows the answer, "" if there is none."""
    return place.before + place.rest if place.rest.strip() else "".join(place.below[:1])


def _is_usual(place: FilterContext, step: int) -> bool:
    """Check whether a block may be indented this much more than its head."""
    if place.style.is_certain or place.language.step == "\t":
        return step == place.style.columns
    return step == place.style.columns or step in USUAL_STEPS


def _head_column(place: FilterContext) -> int:
    """Return the column of the statement above the cursor: of its first line, if it spans several."""
    balance = 0
    for line in reversed(place.above):
        balance += imbalance(line.rstrip().removesuffix("{") if not balance else line)
        if balance >= 0:
            return indent_of(line)
    return indent_of(place.above[-1])


def _is_flat(place: FilterContext) -> bool:
    """Check whether the file has blocks that are not indented, or many lines and no block at all."""
    if not place.style.is_certain and len(place.above) > FLAT_LINES:
        return True
    return any(
        heads_body(line, place.language)
        and indent_of(following) <= indent_of(line)
        and not closes(following.strip(), place)
        for line, following in pairwise(place.above)
    )


def _is_complete(place: FilterContext) -> bool:
    """Check whether the line above certainly ends its statement, so that the next line is not deeper."""
    above, language = without_comment(place.above[-1], place.language).rstrip(), place.language
    if language.is_free or language.has_items or not above or _is_open(place):
        return False
    if language.needs_body:
        return above[-1] not in "\\,(["
    if language.blocks is Blocks.BRACES:
        return above[-1] in ";}" and not _BARE_HEAD.match(above) and _CASE.match(above) is None
    return False


_CASE = re.compile(r"\s*(?:case\b.*|default|\w+):")


def _goes_on(code: str) -> bool:
    """Check whether a line continues the one above, with a method call or an operator."""
    return code[:1] in ".?&|+-*/=<>:,)]}"


def _is_open(place: FilterContext) -> bool:
    """Check whether a bracket is open above the cursor."""
    return imbalance("\n".join(place.above)[-LOOK_CHARS:]) > 0


def _enclosing(above: Sequence[str]) -> list[int]:
    """Return the column of the line above, and then of each line above that is less indented than all below it."""
    found: list[int] = []
    for column in map(indent_of, reversed(above)):
        if not found or column < found[-1]:
            found.append(column)
    return found


def _middle_column(place: FilterContext, written: int) -> int:
    """Return the column of an `else` or similar line: that of the nearest head it may belong to."""
    heads: list[int] = []
    least = indent_of(place.above[-1])
    for line in reversed(place.above):
        column = indent_of(line)
        least = min(least, column)
        if column == least and column not in heads and heads_body(line, place.language):
            heads.append(column)
    if written in heads or written <= least or not heads:
        return written
    return min(heads, key=lambda column: abs(column - written))


def _ends_in_colon(code: str, place: FilterContext) -> bool:
    return without_comment(code, place.language).rstrip().endswith(":")


def _column_in_braces(place: FilterContext) -> int | None:
    """Return the column of the first line in the block around the cursor; None if no line shows it."""
    balance = 0
    for idx in range(len(place.above) - 1, -1, -1):
        head, inner = place.above[idx], place.above[idx + 1 :]
        balance += imbalance(head)
        if balance > 0:
            is_block = head.rstrip().endswith("{") and not _FLAT_HEAD.match(head)
            is_deeper = bool(inner) and indent_of(inner[0]) > indent_of(head)
            return indent_of(inner[0]) if is_block and is_deeper else None
    return None


def _string_head(place: FilterContext) -> tuple[str, str] | None:
    """Return the line that opens the multi-line string around the cursor, and the line above it."""
    head: tuple[str, str] | None = None
    above = ""
    for line in place.above:
        if len(_TRIPLES.findall(line)) % 2:
            head = (line, above) if head is None and _opens_string(line, above) else None
        above = line
    return head


def _opens_string(line: str, above: str) -> bool:
    """Check whether the quotes in a line open a string: the first visible lines may be inside one."""
    code = line.strip()
    if _TRIPLES.sub("", code) == "":
        return not above or above.startswith("#") or above.rstrip()[-1] in ":(,=[{"
    return not code.endswith(('"""', "'''")) or code[-4:-3] in ("=", "(", " ", "f", "r", "")


def _in_string(place: FilterContext, head: tuple[str, str], written: int) -> int:
    """Indent lines of a docstring at least like its quotes; lines of other strings may be anywhere."""
    own, above = indent_of(place.before), place.above[-1]
    if not (_DOCSTRING.match(head[0].lstrip()) and heads_body(head[1], place.language)):
        return written
    if own == 0:
        return written or indent_of(head[0])
    is_at_depth = own == indent_of(above) and (above.rstrip()[-1:].isalnum() or above is head[0])
    return own if is_at_depth else written
