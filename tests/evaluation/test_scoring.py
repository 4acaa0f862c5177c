"""How near an answer comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.evaluation.scoring import NOTHING, score, similarity


@pytest.mark.parametrize(
    ("expected", "answer", "exact", "first_line", "syntax"),
    [
        pytest.param("return x", "return x", True, True, True, id="the same"),
        pytest.param("return x", "return x  \n", True, True, True, id="white space at the end"),
        pytest.param("a = 1\r\n  b = 2", "a = 1\n  b = 2", True, True, True, id="other line ends"),
        pytest.param("a = 1\n  b = 2", "a = 1\nb = 2", False, True, True, id="another depth"),
        pytest.param("return x", "return x\nx += 1", False, True, True, id="a line too many"),
        pytest.param("f(x)", "f(x", False, False, False, id="a bracket missing"),
        pytest.param("x)", "x))", False, False, False, id="a bracket too many"),
        pytest.param("'a'", "'a", False, False, False, id="a quote missing"),
        pytest.param("g(y)", "f(x)", False, False, True, id="something else"),
    ],
)
def test_an_answer_is_scored(expected: str, answer: str, exact: bool, first_line: bool, syntax: bool) -> None:
    found = score(expected, answer)

    assert (found.exact, found.first_line, found.syntax) == (exact, first_line, syntax)


def test_no_text_is_no_answer() -> None:
    assert score("x", " \n") == NOTHING


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("kitten", "sitting", 1 - 3 / 7, id="the textbook's"),
        pytest.param("abc", "abc", 1.0, id="equal"),
        pytest.param("abc", "", 0.0, id="nothing"),
        pytest.param("", "", 1.0, id="both empty"),
    ],
)
def test_similarity_is_what_need_not_be_edited(one: str, other: str, expected: float) -> None:
    assert similarity(one, other) == pytest.approx(expected)


@given(st.text(max_size=20), st.text(max_size=20))
def test_similarity_goes_both_ways_and_tells_equals(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert (similarity(one, other) == 1.0) == (one == other)
