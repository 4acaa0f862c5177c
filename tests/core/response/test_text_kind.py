"""What stands at a place: code, a comment, a string or prose."""

from __future__ import annotations

import pytest

from llm_lsp.core.response.text_kind import LOOK_CHARS, TextKind, kind_at_end
from llm_lsp.core.text.languages import language_of


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        pytest.param("python", "x = f(1) ", TextKind.CODE, id="code"),
        pytest.param("python", "x = 1  # ", TextKind.COMMENT, id="comment"),
        pytest.param("python", "x = '#'", TextKind.CODE, id="mark-in-a-string"),
        pytest.param("python", "x = 'a(", TextKind.STRING, id="string"),
        pytest.param("python", 'def f():\n    """Do.\n\n    ', TextKind.STRING, id="docstring"),
        pytest.param("python", 'def f():\n    """Do."""\n    ', TextKind.CODE, id="after-a-docstring"),
        pytest.param("python", "# don't\n", TextKind.CODE, id="after-a-comment-with-an-apostrophe"),
        pytest.param("c", "/* a\n b", TextKind.COMMENT, id="block-comment"),
        pytest.param("c", "/* a */ b", TextKind.CODE, id="after-a-block-comment"),
        pytest.param("c", " * of what was begun above\n * ", TextKind.COMMENT, id="inside-a-long-comment"),
        pytest.param(
            "c", "of what was begun above */\nx", TextKind.CODE, id="after-the-end-of-a-long-comment"
        ),
        pytest.param("javascript", "a = `x\n", TextKind.STRING, id="template"),
        pytest.param("javascript", 'u = "http://x"', TextKind.CODE, id="address-is-no-comment"),
        pytest.param("go", 'x := "a(b)', TextKind.STRING, id="open-string"),
        pytest.param("rust", "fn f<'a>(x: &'a str) ", TextKind.CODE, id="lifetime"),
        pytest.param("clojure", ";; a", TextKind.COMMENT, id="lisp"),
        pytest.param("vim", '" a', TextKind.COMMENT, id="vim"),
        pytest.param("css", "a { b: c; /* d", TextKind.COMMENT, id="css"),
        pytest.param("markdown", "f(", TextKind.PROSE, id="prose"),
        pytest.param("python", "x = 'a\n", TextKind.CODE, id="a-quote-alone-on-a-line-above"),
        pytest.param("python", 'x = """' + "a\n" * LOOK_CHARS, TextKind.CODE, id="too-far-above"),
    ],
)
def test_a_place_is_told_by_the_text_before_it(language: str, text: str, kind: TextKind) -> None:
    assert kind_at_end(text, language_of(language)) is kind
