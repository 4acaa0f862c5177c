from __future__ import annotations

import pytest

from llm_lsp.core.prompt.completion_mode import Multiline, choose_mode
from llm_lsp.core.request import Mode
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text


def choose(language: str, marked: str, setting: Multiline = "auto", *, manual: bool = False) -> Mode:
    before, _, after = marked.partition("‸")
    point = Point(before.count("\n"), len(before) - before.rfind("\n") - 1)
    return choose_mode(
        Document("file:///a", language, 1, Text.of(before + after)), point, setting, manual=manual
    )


@pytest.mark.parametrize(
    ("language", "marked", "mode"),
    [
        pytest.param("python", "x = ‸", Mode.LINE, id="inside a statement"),
        pytest.param("python", "def f():‸", Mode.BLOCK, id="after an opener"),
        pytest.param("python", "def f():  # why‸", Mode.BLOCK, id="after an opener and a comment"),
        pytest.param("python", "def f():\n    ‸\n\nx = 1", Mode.BLOCK, id="in an empty block"),
        pytest.param("python", "def f():\n    ‸\n    return 1", Mode.LINE, id="in a block with lines"),
        pytest.param("javascript", "function f() {‸}", Mode.BLOCK, id="between braces the editor closed"),
        pytest.param("javascript", "function f() {\n  ‸\n}", Mode.BLOCK, id="above the closing brace"),
        pytest.param("javascript", "if (‸) {", Mode.LINE, id="code follows on the line"),
        pytest.param("javascript", "const x = foo(bar)‸", Mode.LINE, id="a finished call"),
        pytest.param("ruby", "def total‸\n", Mode.BLOCK, id="a word opens"),
        pytest.param("shellscript", "for f in *; do‸", Mode.BLOCK, id="a word at the end opens"),
        pytest.param("unheard-of", "block {‸", Mode.BLOCK, id="an unknown language has braces"),
        pytest.param("markdown", "Title:‸", Mode.LINE, id="prose has no blocks"),
        pytest.param("python", "‸", Mode.LINE, id="an empty document"),
    ],
)
def test_the_syntax_decides(language: str, marked: str, mode: Mode) -> None:
    assert choose(language, marked) is mode


@pytest.mark.parametrize(
    ("setting", "manual", "marked", "mode"),
    [
        pytest.param("never", True, "def f():\n    ‸", Mode.LINE, id="never"),
        pytest.param("always", False, "x = ‸", Mode.BLOCK, id="always"),
        pytest.param("auto", True, "a = 1\n‸\nb = 2", Mode.HOLE, id="by hand on an empty line"),
        pytest.param("auto", True, "x = ‸", Mode.LINE, id="by hand inside a statement"),
        pytest.param("auto", True, "for x in y:‸", Mode.BLOCK, id="by hand after an opener"),
    ],
)
def test_the_user_has_the_last_word(setting: Multiline, manual: bool, marked: str, mode: Mode) -> None:
    assert choose("python", marked, setting, manual=manual) is mode
