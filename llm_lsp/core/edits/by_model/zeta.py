"""The formats of Zed's open models Zeta 2 and Zeta 2.1 (zed-industries/zed, crates/zeta_prompt/src).

Both are asked like their base model, Seed-Coder, for a hole: the text after the region, the user's changes as diffs,
the text before the region, and the region with the cursor. Zeta 2 writes the whole region again. Zeta 2.1 sees marks
between blocks of the region, and writes only the blocks that change, between their marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_lsp.core.edits.by_model.edit_families import MARKER, ZETA_2, ZETA_2_1, EditFamily
from llm_lsp.core.edits.by_model.edit_input import EditHunk, EditInput
from llm_lsp.core.prompt.prompts import RawPrompt

# Tokens of the region and of the text around it; Zed counts three bytes a token, and leaves a tenth of the prompt.
REGION_TOKENS, AROUND_TOKENS = 350, 150
BYTES_PER_TOKEN = 3
MAX_PROMPT_TOKENS = 4096
PROMPT_SHARE = 0.9
MAX_ANSWER_TOKENS = 1024
# Lines of a block of Zeta 2.1, and those that are searched for a better beginning.
LEAST_BLOCK_LINES, MAX_BLOCK_LINES, SEARCHED_LINES = 6, 16, 5
NO_EDITS = "NO_EDITS"


@dataclass(frozen=True, slots=True)
class ZetaRegion:
    """The lines that the model may change, and those that it only sees."""

    first: int
    lines: tuple[str, ...]
    text: str
    """The same lines as they stand in the document."""
    above: str
    below: str
    blocks: tuple[int, ...]
    """Where the marks are: ascending line numbers in the region, with its start and its end."""


def region_of(source: EditInput) -> ZetaRegion:
    """Return the region around the cursor."""
    lines = source.lines
    at = min(source.line, max(0, len(lines) - 1))
    first, stop = _grown(lines, at, min(at + 1, len(lines)), REGION_TOKENS)
    top, bottom = _grown(lines, first, stop, AROUND_TOKENS)
    return ZetaRegion(
        first,
        lines[first:stop],
        source.text(first, stop),
        source.text(top, first),
        source.text(stop, bottom),
        tuple(_block_starts(lines[first:stop])),
    )


def render(source: EditInput, family: EditFamily, max_tokens: float) -> RawPrompt:
    """Build the prompt of Zeta 2 or 2.1; the oldest changes are left out if there is no room."""
    region = region_of(source)
    suffix = _ended(f"<[fim-suffix]>{region.below}")
    draw = _with_marks if family is ZETA_2_1 else _in_conflict_marks
    cursor_part = f"<filename>{source.path}\n{region.above}{draw(source, region)}"
    budget = min(max_tokens, MAX_PROMPT_TOKENS) * PROMPT_SHARE * BYTES_PER_TOKEN
    room = budget - _size(suffix) - _size(cursor_part)
    history = _history(source, room)
    others = _others(source, room - _size(history))
    text = f"{suffix}<[fim-prefix]>{others}{history}{cursor_part}<[fim-middle]>"
    return RawPrompt(text, family.stops, MAX_ANSWER_TOKENS, temperature=0.0)


def parse_region(answer: str, region: ZetaRegion) -> tuple[str, ...]:
    """Return the region's new lines from an answer of Zeta 2."""
    text = answer.replace(ZETA_2.cursor, "")
    if text.lstrip().startswith(NO_EDITS):
        return region.lines
    return _lines(text)


def parse_blocks(answer: str, region: ZetaRegion) -> tuple[str, ...] | None:
    """Return the region's new lines from an answer of Zeta 2.1; None if its marks do not fit the region."""
    text = answer.replace(ZETA_2_1.cursor, "")
    marks = [*_MARK.finditer(text)]
    if len(marks) < 2:
        return None
    first, last = (int(mark[1]) - 1 for mark in (marks[0], marks[-1]))
    if first == last:
        return region.lines
    if not 0 <= first < last < len(region.blocks):
        return None
    body = without_marks(text[marks[0].end() : marks[-1].start()])
    return region.lines[: region.blocks[first]] + _lines(body) + region.lines[region.blocks[last] :]


def without_marks(text: str) -> str:
    """Return a text without the marks between blocks."""
    return _MARK.sub("", text)


def diff_of(hunk: EditHunk) -> str:
    """Return a change as a unified diff."""
    n_old = len(hunk.above) + len(hunk.old) + len(hunk.below)
    n_new = len(hunk.above) + len(hunk.new) + len(hunk.below)
    head = f"@@ -{hunk.start + 1},{n_old} +{hunk.start + 1},{n_new} @@"
    marked = (
        *(f" {line}" for line in hunk.above),
        *(f"-{line}" for line in hunk.old),
        *(f"+{line}" for line in hunk.new),
        *(f" {line}" for line in hunk.below),
    )
    return f"--- a/{hunk.path}\n+++ b/{hunk.path}\n{head}\n{_joined(marked)}"


_MARK = re.compile(re.escape(MARKER) + r"(\d{1,4})\|>")
# Lines that end something, and are a bad beginning of a block.
_TAIL = re.compile(r"\s*([)}\]]|(break|continue|return|throw|end);*\s*$)")


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _grown(lines: tuple[str, ...], first: int, stop: int, tokens: int) -> tuple[int, int]:
    """Extend a range of lines at both ends in turn, until it has these tokens more."""
    left = tokens * BYTES_PER_TOKEN - (_size(_joined(lines[first:stop])) if stop - first == 1 else 0)
    is_up_open = is_down_open = True
    while is_up_open or is_down_open:
        if is_up_open:
            cost = _size(lines[first - 1]) + 1 if first else left + 1
            is_up_open = cost <= left
            first, left = (first - 1, left - cost) if is_up_open else (first, left)
        if is_down_open:
            cost = _size(lines[stop]) + 1 if stop < len(lines) else left + 1
            is_down_open = cost <= left
            stop, left = (stop + 1, left - cost) if is_down_open else (stop, left)
    return first, stop


def _block_starts(lines: tuple[str, ...]) -> Iterator[int]:
    """Yield where the blocks begin, and the end: at a line after a blank one, not too near and not too far."""
    yield 0
    last = at = 0
    while at < len(lines):
        is_after_blank = at > 0 and bool(lines[at].strip()) and not lines[at - 1].strip()
        is_far = at - last >= MAX_BLOCK_LINES
        if is_far or (at - last >= LEAST_BLOCK_LINES and is_after_blank):
            start = _good_start(lines, at)
            if start > last and (is_far or len(lines) - start >= LEAST_BLOCK_LINES):
                yield start
                last = at = start
        at += 1
    yield len(lines)


def _good_start(lines: tuple[str, ...], at: int) -> int:
    searched = range(at, min(len(lines), at + SEARCHED_LINES))
    return next((line for line in searched if lines[line].strip() and not _TAIL.match(lines[line])), at)


def _with_cursor(source: EditInput, region: ZetaRegion) -> tuple[str, int]:
    """Return the region's text with the cursor's mark, and where it begins."""
    at = sum(len(line) + 1 for line in region.lines[: source.line - region.first])
    at = min(at + source.column, len(region.text))
    return region.text[:at] + ZETA_2.cursor + region.text[at:], at


def _in_conflict_marks(source: EditInput, region: ZetaRegion) -> str:
    text, _ = _with_cursor(source, region)
    return f"<<<<<<< CURRENT\n{_ended(text)}=======\n"


def _with_marks(source: EditInput, region: ZetaRegion) -> str:
    text, cursor = _with_cursor(source, region)
    parts, begun, offset = list[str](), 0, 0
    for number, stop in enumerate(region.blocks[1:], 1):
        offset += sum(len(line) + 1 for line in region.lines[region.blocks[number - 1] : stop])
        # A cursor between two blocks belongs to the one above.
        end = min(offset, len(region.text)) + (len(ZETA_2_1.cursor) if offset >= cursor else 0)
        parts.append(f"{MARKER}{number}|>{text[begun:end]}")
        begun = end
    return _ended(f"{''.join(parts)}{MARKER}{len(region.blocks)}|>")


def _history(source: EditInput, room: float) -> str:
    head, kept = "<filename>edit_history\n", list[str]()
    room -= _size(head) + 1
    for hunk in reversed(source.hunks):
        diff = diff_of(hunk)
        room -= _size(diff)
        if room < 0:
            break
        kept.insert(0, diff)
    return f"{head}{''.join(kept)}\n" if kept else ""


def _others(source: EditInput, room: float) -> str:
    kept = []
    for each in source.snippets:
        text = _ended(f"<filename>{each.path}\n{each.text}")
        room -= _size(text)
        if room < 0:
            break
        kept.append(text)
    return f"{''.join(kept)}\n" if kept else ""
