from __future__ import annotations

import pytest

from llm_lsp.core.edits.next_edit import EditKind, NextEdit
from llm_lsp.core.edits.rebase import is_at, is_completed, rebase
from llm_lsp.core.text.text import Edit, Point

EDIT = NextEdit(EditKind.RENAME, Point(3, 4), Point(3, 9), "price", "amount", 0.6)


def typed(start: int, stop: int, text: str, line: int = 3) -> Edit:
    return Edit(Point(line, start), Point(line, stop), text)


@pytest.mark.parametrize(
    ("change", "rest"),
    [
        pytest.param(typed(4, 9, ""), "", id="deleted"),
        pytest.param(typed(4, 9, "am"), "am", id="replaced by a beginning"),
        pytest.param(typed(4, 4, "a"), "aprice", id="typed before"),
        pytest.param(typed(8, 9, ""), "pric", id="deleted from the end"),
        pytest.param(typed(4, 6, ""), "ice", id="deleted from the start"),
    ],
)
def test_what_leads_to_the_new_text_leaves_the_rest(change: Edit, rest: str) -> None:
    found = rebase(EDIT, [change])

    assert found is not None
    assert (found.old, found.new, found.start, found.end) == (
        rest,
        "amount",
        Point(3, 4),
        Point(3, 4 + len(rest)),
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(typed(4, 9, "x"), id="another text"),
        pytest.param(typed(9, 9, "x"), id="typed behind"),
        pytest.param(typed(4, 9, "am\n"), id="a new line"),
        pytest.param(typed(3, 5, ""), id="from before the place"),
        pytest.param(typed(8, 10, ""), id="to behind the place"),
        pytest.param(typed(4, 4, "a", line=2), id="on another line"),
        pytest.param(typed(4, 9, "amount"), id="complete"),
    ],
)
def test_anything_else_ends_it(change: Edit) -> None:
    assert rebase(EDIT, [change]) is None


def test_changes_are_followed_in_their_order() -> None:
    changes = [typed(4, 9, ""), typed(4, 4, "amo"), typed(7, 7, "un")]

    found = rebase(EDIT, changes)

    assert found is not None
    assert found.old == "amoun"
    assert is_completed(EDIT, [*changes, typed(9, 9, "t")])
    assert not is_completed(EDIT, changes)


def test_a_change_is_at_its_place_or_not() -> None:
    assert is_at(EDIT, [typed(5, 5, "x")])
    assert not is_at(EDIT, [typed(1, 1, "x")])
    assert not is_at(EDIT, [])
