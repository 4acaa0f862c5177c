"""The filters of a model's next edits: each names a reason why an edit is not shown.

What other systems filter is listed in docs/next-edits.md. The cases are in tests/golden/model_edits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from llm_lsp.core.context.edit_history import ChangedLines, EditBurst
from llm_lsp.core.context.imports import is_import
from llm_lsp.core.edits.by_model.edit_families import EditFamily
from llm_lsp.core.edits.by_model.edit_input import bare
from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.edits.situation import line_now
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text

# Lines of a change that can be judged at a glance (cursortab shows at most 12 changed lines).
MAX_LINES = 12
# Share of an edit's changed tokens that undo the user's change of the same lines.
UNDONE_SHARE = 0.5

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class ProposedEdit:
    """An edit, the lines that it changes, and what the user did before."""

    edit: NextEdit
    document: Document
    bursts: tuple[EditBurst, ...]
    """The user's last changes in all documents, oldest first."""
    earlier: tuple[Text, ...]
    """Earlier texts of the document, oldest first."""
    family: EditFamily

    @cached_property
    def made(self) -> Text:
        """The text with the edit."""
        return self.document.text.edit(self.edit.start, self.edit.end, self.edit.new)

    @property
    def first(self) -> int:
        """The first line that may differ."""
        return self.edit.start.line

    @cached_property
    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The changed lines before and after it, without line ends."""
        old, edit = self.document.text, self.edit
        stop = edit.end.line + 1
        new = bare(self.made.lines(self.first, stop + self.made.line_count - old.line_count))
        before = bare(old.lines(self.first, stop))
        while before and new and before[-1] == new[-1]:
            before, new = before[:-1], new[:-1]
        while before and new and before[0] == new[0]:
            before, new = before[1:], new[1:]
        return before, new

    @cached_property
    def changes(self) -> tuple[tuple[int, ChangedLines], ...]:
        """The user's changes in this document, each with the line where it now begins."""
        own = [burst for burst in self.bursts if burst.after.uri == self.document.uri]
        found = ((at, burst.change()) for at, burst in enumerate(own))
        return tuple(
            (line_now(change.start, own[at + 1 :]), change) for at, change in found if change is not None
        )


def refusal(proposed: ProposedEdit) -> Reason | None:
    """Return why an edit is not shown, or None."""
    return next((reason for reason, applies in _FILTERS if applies(proposed)), None)


def _is_nothing(proposed: ProposedEdit) -> bool:
    old, new = proposed.sides
    return old == new


def _has_marks(proposed: ProposedEdit) -> bool:
    old, new = proposed.edit.old, proposed.edit.new
    known = any(mark in new for mark in proposed.family.marks)
    return known or any(mark[0] not in old for mark in _FOREIGN_MARK.finditer(new))


def _is_too_much(proposed: ProposedEdit) -> bool:
    return max(map(len, proposed.sides)) > MAX_LINES


def _is_blank(proposed: ProposedEdit) -> bool:
    old, new = proposed.sides
    return "".join("".join(old).split()) == "".join("".join(new).split())


def _undoes(proposed: ProposedEdit) -> bool:
    return (
        _restores_text(proposed)
        or any(_restores(proposed, change) for _, change in proposed.changes)
        or _undoes_tokens(proposed)
    )


def _restores_text(proposed: ProposedEdit) -> bool:
    """Check whether the document would be as it was before."""
    made = proposed.made
    candidates = [text for text in proposed.earlier if text.size == made.size]
    return bool(candidates) and str(made) in map(str, candidates)


def _restores(proposed: ProposedEdit, change: ChangedLines) -> bool:
    """Check whether lines that the user wrote would be replaced by those that stood there."""
    old, new = proposed.sides
    return _holds(bare(change.new), old) and _holds(bare(change.old), new) and bool(old or new)


def _undoes_tokens(proposed: ProposedEdit) -> bool:
    """Check whether most of what changes was changed by the user on the same lines, the other way round."""
    old, new = proposed.sides
    removed, added = _gone(old, new), _gone(new, old)
    total = removed.total() + added.total()
    if not total:
        return False
    mine_removed, mine_added = Counter[str](), Counter[str]()
    for line, change in proposed.changes:
        if line < proposed.first + max(1, len(old)) and proposed.first < line + max(1, len(change.new)):
            mine_removed += _gone(bare(change.old), bare(change.new))
            mine_added += _gone(bare(change.new), bare(change.old))
    if mine_removed and mine_removed <= added and mine_added <= removed:
        return True  # All of it is undone, whatever else is added.
    undone = (removed & mine_added).total() + (added & mine_removed).total()
    return undone / total >= UNDONE_SHARE


def _only_imports(proposed: ProposedEdit) -> bool:
    changed = [line for side in proposed.sides for line in side if line.strip()]
    return bool(changed) and all(map(is_import, changed))


def _duplicates(proposed: ProposedEdit) -> bool:
    """Check whether what is inserted stands right above or below already."""
    old, new = proposed.sides
    inserted = [line for line in new if line.strip()]
    if any(map(str.strip, old)) or not any(map(str.isalnum, "".join(inserted))):
        return False
    text, edit = proposed.document.text, proposed.edit
    at = edit.start.line + bool(edit.start.column)
    below = (line for line in bare(text.lines(at, text.line_count)) if line.strip())
    above = (line for line in reversed(bare(text.lines(0, at))) if line.strip())
    count = range(len(inserted))
    return inserted in (
        [line for _, line in zip(count, below, strict=False)],
        [line for _, line in zip(count, above, strict=False)][::-1],
    )


# In order: the first that applies is the reason. What is wrong with the answer comes before what is wrong with the edit.
_FILTERS: Sequence[tuple[Reason, Callable[[ProposedEdit], bool]]] = (
    (Reason.NO_CHANGE, _is_nothing),
    (Reason.MARKS, _has_marks),
    (Reason.ONLY_WHITESPACE, _is_blank),
    (Reason.UNDOES, _undoes),
    (Reason.DUPLICATES, _duplicates),
    (Reason.ONLY_IMPORTS, _only_imports),
    (Reason.TOO_MUCH, _is_too_much),
)
# Marks of any format that have been seen in users' files: `<|…|>`, `<[…]>`, and words that mean "nothing"
# (zed-industries/zed#52770).
_FOREIGN_MARK = re.compile(
    r"<\|[a-z_/]+(_\d+)?\|>|<\[[a-z▁-]+\]>|^(KEEP_PREVIOUS|NO_EDITS)$|^[<>]{7} \w", re.M
)


def _holds(lines: Sequence[str], wanted: Sequence[str]) -> bool:
    """Check whether `lines` has `wanted` in a row; if one is empty, whether both are."""
    if not wanted or not lines:
        return not wanted and not lines
    size = len(wanted)
    return any(tuple(lines[at : at + size]) == tuple(wanted) for at in range(len(lines) - size + 1))


def _gone(lines: Sequence[str], others: Sequence[str]) -> Counter[str]:
    """Count the tokens of some lines that others have not."""
    one, other = (Counter(_TOKEN.findall("\n".join(side))) for side in (lines, others))
    return one - other
