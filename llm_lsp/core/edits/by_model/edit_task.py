"""One question for a next edit to a model: its prompt, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llm_lsp.core.edits.by_model import chat_window, sweep, zeta
from llm_lsp.core.edits.by_model.agreement import completed
from llm_lsp.core.edits.by_model.edit_families import MARKER, ZETA_2, EditFamily
from llm_lsp.core.edits.by_model.edit_input import EditInput, Rewritten
from llm_lsp.core.prompt.prompts import Prompt

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditTask:
    """What is asked, and the lines that the answer replaces."""

    family: EditFamily
    prompt: Prompt
    first: int
    """Line number of the first line that may change."""
    lines: Lines
    _parse: Callable[[str], Lines | None]
    _begun: Callable[[str], tuple[int, str] | None]
    """Returns which old line the answer begins with, and its text so far; None if it has not begun."""

    def rewritten(self, answer: str) -> Rewritten | None:
        """Return what a whole answer makes of the lines; None if it has not the format's form."""
        new = self._parse(answer)
        return None if new is None else Rewritten(self.first, self.lines, new)

    def completed(self, answer: str) -> Rewritten | None:
        """Return what an unfinished answer makes of the lines if its rest is known; else None."""
        begun = self._begun(answer)
        if begun is None:
            return None
        at, text = begun
        written = text.replace(self.family.cursor, "").split("\n")[:-1]
        new = completed(self.lines[at:], written)
        return None if new is None else Rewritten(self.first, self.lines, self.lines[:at] + new)


def is_confusing(source: EditInput, family: EditFamily) -> bool:
    """Check whether what would be sent contains a mark of the format."""
    texts = (
        source.path,
        *source.lines,
        *source.before,
        *(line for hunk in source.hunks for line in (hunk.path, *hunk.old, *hunk.new)),
        *(text for each in source.snippets for text in (each.path, each.text)),
    )
    return any(mark in text for text in texts for mark in family.marks)


def task_for(source: EditInput, family: EditFamily, max_tokens: float) -> EditTask:
    """Build the question in a family's format; the prompt has about `max_tokens` at most."""
    if family.format == "sweep":
        block = sweep.block_of(source)
        prefill = "".join(f"{line}\n" for line in block.prefill)
        return EditTask(
            family,
            sweep.render(source, max_tokens),
            block.first,
            block.lines,
            lambda answer: sweep.parse(answer, block),
            lambda answer: (0, prefill + answer),
        )
    if family.format == "chat":
        window = chat_window.window_of(source)
        return EditTask(
            family,
            chat_window.render(source, max_tokens),
            window.first,
            window.lines,
            lambda answer: chat_window.parse(answer, window),
            _begun_chat,
        )
    region = zeta.region_of(source)
    is_whole = family is ZETA_2
    return EditTask(
        family,
        zeta.render(source, family, max_tokens),
        region.first,
        region.lines,
        lambda answer: zeta.parse_region(answer, region) if is_whole else zeta.parse_blocks(answer, region),
        lambda answer: (0, answer) if is_whole else _begun_blocks(answer, region),
    )


def _begun_chat(answer: str) -> tuple[int, str] | None:
    _, opened, body = answer.partition(f"{chat_window.OPEN}\n")
    return (0, body) if opened and not body.startswith("```") else None


def _begun_blocks(answer: str, region: zeta.ZetaRegion) -> tuple[int, str] | None:
    """Return the block that the answer begins with, and its text so far without the marks between blocks."""
    _, opened, rest = answer.partition(MARKER)
    number, closed, body = rest.partition("|>")
    if not (opened and closed and number.isdecimal() and 0 < int(number) < len(region.blocks)):
        return None
    return region.blocks[int(number) - 1], zeta.without_marks(body)
