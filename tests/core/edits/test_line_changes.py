from __future__ import annotations

import pytest

from llm_lsp.core.context.edit_history import ChangedLines
from llm_lsp.core.edits.line_changes import MAX_LINE_CHARS, line_changes


def paired(old: str, new: str) -> list[tuple[int, str, str]]:
    """Return the pairs of two texts that differ in their first and last lines."""
    change = ChangedLines(10, tuple(old.splitlines(keepends=True)), tuple(new.splitlines(keepends=True)))
    return [(each.line - 10, each.old, each.new) for each in line_changes(change)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("a\nb\n", "c\nd\n", [(0, "a", "c"), (1, "b", "d")], id="as many lines: one by one"),
        pytest.param(
            "a\nb\nc\n", "x\nb\ny\n", [(0, "a", "x"), (2, "c", "y")], id="a line that stayed is none"
        ),
        pytest.param("", "a\n", [], id="only put in"),
        pytest.param("a\n", "", [], id="only taken away"),
        pytest.param(
            "call(one, two)\n",
            "new line\ncall(one, three)\n",
            [(1, "call(one, two)", "call(one, three)")],
            id="alike",
        ),
        pytest.param("one\n", "other\nwords\n", [], id="nothing alike"),
        pytest.param("  a\r\n", "  b\r\n", [(0, "  a", "  b")], id="CRLF"),
        pytest.param("x" * (MAX_LINE_CHARS + 1), "y", [], id="too long"),
    ],
)
def test_changed_lines_are_paired_with_what_they_were(
    old: str, new: str, expected: list[tuple[int, str, str]]
) -> None:
    assert paired(old, new) == expected
