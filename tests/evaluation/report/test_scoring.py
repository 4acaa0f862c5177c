"""How near an answer comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.report.scoring import NOTHING, keeps_syntax, score, similarity


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


@pytest.mark.parametrize(
    ("language", "original", "filled", "kept"),
    [
        pytest.param("python", "x = f(1)\n", "x = g(2, 3)\n", True, id="another argument"),
        pytest.param("python", "x = f(1)\n", "x = f(1))\n", False, id="a bracket too many"),
        pytest.param(
            "python", "def f():\n    pass\n", "def f():\n    x = (\n", False, id="a bracket that stays open"
        ),
        pytest.param("go", "package a\n", "package a\n\nfunc {\n", False, id="another language"),
        pytest.param("python", "x = = 1\n", "x = 1\n", None, id="it was broken before"),
        pytest.param("cobol", "x\n", "y\n", None, id="no grammar"),
    ],
)
def test_a_filled_file_is_parsed(language: str, original: str, filled: str, kept: bool | None) -> None:
    assert keeps_syntax(Text.of(original), Text.of(filled), language) is kept


@pytest.mark.parametrize("parsed", [True, False])
def test_what_was_parsed_wins_over_brackets(parsed: bool) -> None:
    assert score("f(x)", "f(x", parsed).syntax is parsed


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
