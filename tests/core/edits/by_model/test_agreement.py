from __future__ import annotations

import pytest

from llm_lsp.core.edits.by_model.agreement import completed

OLD = ("a = 1", "b = 2", "}", "c = 3", "d = 4", "e = 5")


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        pytest.param(("a = 9", "b = 2"), None, id="one line agrees"),
        pytest.param(("a = 9", "b = 2", "}"), None, id="one word and a bracket agree"),
        pytest.param(("a = 9", "b = 2", "}", "c = 3"), ("a = 9", *OLD[1:]), id="three lines agree"),
        pytest.param(("a = 1", "b = 2", "}", "c = 3"), None, id="nothing has changed yet"),
        pytest.param(("a = 1", "x = 0", "b = 2", "}", "c = 3"), ("a = 1", "x = 0", *OLD[1:]), id="inserted"),
        pytest.param(("a = 1", "}", "c = 3", "d = 4"), ("a = 1", *OLD[2:]), id="deleted"),
        pytest.param(("x", "c = 3", "d = 4"), ("x", *OLD[3:]), id="three lines replaced by one"),
        pytest.param((*OLD, "f = 6"), None, id="appended at the end"),
        pytest.param((), None, id="nothing written"),
    ],
)
def test_an_answer_is_complete_when_it_agrees_after_a_change(
    written: tuple[str, ...], whole: tuple[str, ...] | None
) -> None:
    assert completed(OLD, written) == whole


def test_lines_that_the_old_text_has_twice_decide_nothing() -> None:
    old = ("first", "a = 1", "b = 2", "middle", "a = 1", "b = 2", "last")

    assert completed(old, ("changed", "a = 1", "b = 2")) is None
    assert completed(old, ("changed", "a = 1", "b = 2", "middle")) == ("changed", *old[1:])
