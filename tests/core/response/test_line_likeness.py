"""Which lines are the same but for what does not matter."""

from __future__ import annotations

import pytest

from llm_lsp.core.response.line_likeness import is_alike, is_same_line, tokens_of
from llm_lsp.core.text.languages import language_of


@pytest.mark.parametrize(
    ("language", "one", "other", "is_same"),
    [
        pytest.param("python", "'b': 2", "'b': 2,", True, id="comma"),
        pytest.param("c", "f(a);", "f(a)", True, id="semicolon"),
        pytest.param("c", "f(a, b);", "f( a,b );", True, id="blanks"),
        pytest.param("python", "f('a')", 'f("a")', True, id="quotes"),
        pytest.param("python", "return total", "return total  # sum", True, id="comment"),
        pytest.param("c", "reset(a); /* b */", "reset(a); /* b, c */", True, id="more-in-a-block-comment"),
        pytest.param(
            "go",
            "return total, nil // a",
            "return total, nil // b",
            True,
            id="another-comment-of-a-statement",
        ),
        pytest.param("c", "NULL, /* a */", "NULL, /* b */", False, id="another-comment-of-a-value"),
        pytest.param("c", "} // a", "} // b", False, id="another-comment-of-a-closer"),
        pytest.param("python", "# a", "# b", False, id="comments-alone"),
        pytest.param(
            "vim", 'syn match a "b"', 'syn match a "c"', False, id="a-string-that-looks-like-a-comment"
        ),
        pytest.param("python", "f(a)", "f(b)", False, id="another-argument"),
        pytest.param("python", "F(a)", "f(a)", False, id="case-tells"),
    ],
)
def test_lines_are_the_same_but_for_what_does_not_matter(
    language: str, one: str, other: str, is_same: bool
) -> None:
    assert is_same_line(one, other, language_of(language)) is is_same
    assert is_same_line(other, one, language_of(language)) is is_same


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        pytest.param("rm -rf build", "rm -rf .cache", True, id="one-word"),
        pytest.param("def g(self):", "def h(self):", True, id="name"),
        pytest.param("self.a = a", "self.b = b", False, id="both-names"),
        pytest.param("x = 1", "return y", False, id="nothing"),
        pytest.param("", "", True, id="blank"),
    ],
)
def test_lines_are_alike_but_for_one_stretch(one: str, other: str, alike: bool) -> None:
    assert is_alike(tokens_of(one), tokens_of(other)) is alike
