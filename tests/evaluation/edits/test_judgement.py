from __future__ import annotations

import pytest

from llm_lsp.core.edits.next_edit import EditKind, NextEdit
from llm_lsp.core.text.text import Point, Text
from llm_lsp.evaluation.corpus.commit_history import CommitChange, FileChange, Hunk
from llm_lsp.evaluation.edits.judgement import JudgedEdit, judge
from llm_lsp.evaluation.edits.states import EditState, states

BEFORE = "a\nb\nc\nd\ne\nf\n"
# After the first one, `c` becomes two lines, a line comes before `e`, and `f` goes.
HUNKS = (
    Hunk(0, ("a\n",), ("A\n",)),
    Hunk(2, ("c\n",), ("C1\n", "C2\n")),
    Hunk(4, (), ("new\n",)),
    Hunk(5, ("f\n",), ()),
)


def state(number: int = 0) -> EditState:
    """Return the state after some hunks, made from top to bottom."""
    change = CommitChange("c" * 40, (FileChange("a.py", "python", Text.of(BEFORE), HUNKS),))
    return [each for each in states(change, 1) if each.order == "down" and not each.is_half_typed][number]


def judged(start: tuple[int, int], end: tuple[int, int], old: str, new: str, number: int = 0) -> JudgedEdit:
    return judge(state(number), NextEdit(EditKind.REPEAT, Point(*start), Point(*end), old, new, 0.5))


def test_a_line_that_the_commit_makes_is_exact() -> None:
    found = judged((2, 0), (2, 1), "c", "C2")

    assert (found.is_exact, found.distance, found.similarity, found.keys_saved) == (True, 0, 1.0, 1)


def test_a_line_that_the_commit_makes_otherwise_is_in_the_right_place() -> None:
    found = judged((2, 0), (2, 1), "c", "C3")

    assert (found.is_exact, found.distance, found.keys_saved) == (False, 0, 0)
    assert found.similarity == pytest.approx(2 / 3)


@pytest.mark.parametrize(("line", "distance"), [(1, 1), (3, 1), (0, 2)])
def test_a_line_that_the_commit_leaves_is_wrong(line: int, distance: int) -> None:
    found = judged((line, 0), (line, 1), "x", "y")

    assert (found.is_exact, found.distance, found.similarity) == (False, distance, 0.0)


def test_an_inserted_line_is_exact_where_the_commit_inserts_it() -> None:
    assert judged((4, 0), (4, 0), "", "new\n").is_exact
    assert not judged((3, 0), (3, 0), "", "new\n").is_exact


def test_a_deleted_line_is_exact_if_the_commit_deletes_it() -> None:
    assert judged((5, 0), (6, 0), "f\n", "").is_exact
    assert not judged((3, 0), (4, 0), "d\n", "").is_exact


def test_all_is_wrong_in_a_finished_file() -> None:
    found = judged((1, 0), (1, 1), "b", "B", number=3)

    assert (found.is_exact, found.distance) == (False, None)


def test_what_makes_a_line_what_it_was_reverts() -> None:
    assert judged((0, 0), (0, 1), "A", "a").reverts
    assert not judged((0, 0), (0, 1), "A", "B").reverts
