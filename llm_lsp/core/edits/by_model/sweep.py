"""The format of Sweep's next-edit models (PyPI `sweep-autocomplete` 0.1.1, next_edit_autocomplete.py).

The prompt is a list of files: pieces of others, the document before the user's changes, each change as a pair of
texts, and at last the block around the cursor three times: with the changes undone, as it is, and as it shall be,
which the model writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.edits.by_model.edit_families import SWEEP
from llm_lsp.core.edits.by_model.edit_input import EditHunk, EditInput
from llm_lsp.core.prompt.prompts import RawPrompt

# Lines of the block above and below the cursor's, and the most characters below: half of the answer's tokens.
LINES_ABOVE, LINES_BELOW = 2, 5
MAX_ANSWER_TOKENS = 1024
CHARS_PER_TOKEN = 3.5
MAX_BLOCK_CHARS = int(MAX_ANSWER_TOKENS / 2 * CHARS_PER_TOKEN)
# The document is sent whole up to this number of lines, else a piece of it that starts at a multiple of half its size:
# so it stays the same while the cursor moves a little, and a server has it cached.
WHOLE_LINES, PIECE_LINES = 800, 300
# Changes in the prompt, unchanged lines around each, and characters of a line.
MAX_HUNKS, HUNK_CONTEXT = 6, 1
MAX_LINE_CHARS = 600


@dataclass(frozen=True, slots=True)
class SweepBlock:
    """The lines that the model rewrites."""

    first: int
    lines: tuple[str, ...]
    prefill: tuple[str, ...]
    """The block's first lines, which the answer continues."""


def block_of(source: EditInput) -> SweepBlock:
    """Return the lines around the cursor, without blank lines at both ends."""
    lines = source.lines
    first = max(0, source.line - LINES_ABOVE)
    stop = min(len(lines), source.line + LINES_BELOW + 1)
    while first < stop and not lines[first].strip():
        first, stop = first + 1, min(len(lines), stop + 1)
    while stop > first and not lines[stop - 1].strip():
        stop -= 1
    kept = first + LINES_ABOVE
    while stop > kept and sum(len(line) + 1 for line in lines[kept:stop]) > MAX_BLOCK_CHARS:
        stop -= 1
    return SweepBlock(first, lines[first:stop], _prefill(source, first, stop))


def render(source: EditInput, max_tokens: float) -> RawPrompt:
    """Build the prompt; as much of the document is left out as `max_tokens` demands."""
    block = block_of(source)
    others = "".join(f"<|file_sep|>{each.path}\n{each.text}\n" for each in source.snippets)
    question = _question(source, block)
    room = max_tokens * CHARS_PER_TOKEN - len(question)
    head = f"<|file_sep|>{source.path}\n"
    document = _document(source, room - len(head))
    if len(document) + len(head) + len(others) > room:
        others = ""
    text = others + head + document + question
    return RawPrompt(_cut_long_lines(text), SWEEP.stops, MAX_ANSWER_TOKENS, temperature=0.0)


def parse(answer: str, block: SweepBlock) -> tuple[str, ...]:
    """Return the block's new lines; the answer continues the prefill."""
    text = "".join(f"{line}\n" for line in block.prefill) + answer.replace(SWEEP.cursor, "")
    lines = text.rstrip("\n").split("\n")
    # The training data has this note of `diff` at the end of some files.
    if lines[-1].strip() == "\\ No newline at end of file":
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    return tuple(lines)


def _prefill(source: EditInput, first: int, stop: int) -> tuple[str, ...]:
    """Return the block's first line and the blank ones below it if the last change was above the cursor.

    At a place that is to be judged, the lines above it are known, and need not be written again.
    """
    if source.is_jump:
        return source.lines[first : max(first, source.line)]
    own = source.own_hunks
    if not own or own[-1].line >= source.line or source.line == first:
        return ()
    end = first + 1
    while end < min(source.line, stop) and not source.lines[end].strip():
        end += 1
    return source.lines[first:end]


def _question(source: EditInput, block: SweepBlock) -> str:
    """Return the part below the document: the changes, and the block in its three versions."""
    hunks = "\n".join(map(_pair, source.hunks[-MAX_HUNKS:]))
    at = min(source.line, len(source.lines) - 1) - block.first
    # As Sweep's own server numbers the block: from the cursor's line in it.
    place = f"{source.path}:{at + 1}:{at + len(block.lines) + 1}"
    current = [*block.lines]
    if 0 <= at < len(current):
        line = current[at]
        current[at] = line[: source.column] + SWEEP.cursor + line[source.column :]
    versions = (
        f"\n{hunks}",
        f"<|file_sep|>original/{place}",
        _undone(source, block),
        f"<|file_sep|>current/{place}",
        *current,
        f"<|file_sep|>updated/{place}",
        *block.prefill,
        "",
    )
    return "\n".join(versions)


def _pair(hunk: EditHunk) -> str:
    old, new = hunk.sides(HUNK_CONTEXT)
    start = hunk.line - min(HUNK_CONTEXT, len(hunk.above)) + 1
    texts = ("\n".join(old).strip("\n"), "\n".join(new).strip("\n"))
    end = start + len(new) - 1
    return f"<|file_sep|>{hunk.path}:{start}:{end}\noriginal:\n{texts[0]}\nupdated:\n{texts[1]}"


def _undone(source: EditInput, block: SweepBlock) -> str:
    """Return the block without the last changes in it, newest first, until one is not found."""
    text = "\n".join(block.lines) + "\n"
    for hunk in reversed(source.hunks):
        old, new = ("".join(f"{line}\n" for line in side) for side in hunk.sides(HUNK_CONTEXT))
        if not new.strip() or new not in text:
            old, new = ("".join(f"{line}\n" for line in side) for side in (hunk.old, hunk.new))
        if not new.strip() or new not in text:
            break
        text = text.replace(new, old, 1)
    return text.removesuffix("\n")


def _document(source: EditInput, room: float) -> str:
    """Return the document before the changes, or the largest piece around the cursor that has room."""
    lines = source.before
    if len(lines) <= WHOLE_LINES and sum(len(line) + 1 for line in lines) <= room:
        return "\n".join(lines)
    size = PIECE_LINES
    while size >= 4:
        stride = size // 2
        start = max(0, round((source.line - size // 2) / stride)) * stride
        piece = "\n".join(lines[start : start + size])
        if len(piece) <= room:
            return piece
        size //= 2
    return ""


def _cut_long_lines(text: str) -> str:
    if len(text) <= MAX_LINE_CHARS:
        return text
    lines = text.split("\n")
    return "\n".join(line if len(line) <= MAX_LINE_CHARS else f"{line[:MAX_LINE_CHARS]}..." for line in lines)
