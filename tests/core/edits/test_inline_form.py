from __future__ import annotations

import pytest

from llm_lsp.core.edits.inline_form import InlineForm, inline_form
from llm_lsp.core.edits.next_edit import EditKind, line_edit
from llm_lsp.core.text.text import Point, Text


def form(old: str, new: str, column: int, line: int = 1) -> InlineForm | None:
    edit = line_edit(EditKind.REPEAT, 1, old, new, 0.9)
    return inline_form(edit, Text.of(f"above\n{old}\nbelow"), Point(line, column))


@pytest.mark.parametrize(
    ("old", "new", "column", "text"),
    [
        pytest.param("f(a)", "f(a, b)", 3, ", b", id="at the cursor"),
        pytest.param("f(a)", "f(a, b)", 0, "f(a, b", id="behind the cursor"),
        pytest.param("total", "total_sum", 5, "total_sum", id="a name that goes on"),
        pytest.param("total", "total_sum", 2, "total_sum", id="the cursor inside the name"),
    ],
)
def test_an_insertion_behind_the_cursor_can_be_ghost_text(old: str, new: str, column: int, text: str) -> None:
    found = form(old, new, column)

    assert found is not None
    made = Text.of(f"above\n{old}\nbelow").edit(found.start, found.end, found.text)
    assert made.line(1) == new
    assert found.text.endswith(text)
    assert found.start.column <= column <= found.end.column


@pytest.mark.parametrize(
    ("old", "new", "column", "line"),
    [
        pytest.param("cart", "basket", 0, 1, id="a replacement"),
        pytest.param("f(a, b)", "f(a)", 3, 1, id="a deletion"),
        pytest.param("f(a)", "f(a, b)", 4, 1, id="before the cursor"),
        pytest.param("f(a)", "f(a, b)", 3, 0, id="on another line"),
    ],
)
def test_anything_else_cannot(old: str, new: str, column: int, line: int) -> None:
    assert form(old, new, column, line) is None
