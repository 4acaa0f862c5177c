"""The indentation of an empty line, where the lines around it leave no doubt."""

from __future__ import annotations

import pytest

from llm_lsp.core.prompt.expected_indent import expected_indent
from llm_lsp.core.prompt.line_start import Rejoin, line_start
from llm_lsp.core.text.window import Window


@pytest.mark.parametrize(
    ("language", "above", "below", "indent"),
    [
        pytest.param("python", "def f():\n", "", "    ", id="below a head"),
        pytest.param("python", "if a:\n  b()\nif c:\n", "", "  ", id="by the file's steps"),
        pytest.param("python", "class A:\n\tdef f(self):\n", "", "\t\t", id="with the file's tabs"),
        pytest.param("python", "if a:\n", "  b()\n", "  ", id="like the block's next line"),
        pytest.param(
            "python",
            "    for i in x:\n",
            "            y\n",
            "        ",
            id="not like a line in another block",
        ),
        pytest.param("python", 'def f():\n    """Do."""\n\n', "", "    ", id="below a docstring"),
        pytest.param(
            "python", 'def f():\n    """Do.\n\n    Well."""\n', "", "    ", id="below a long docstring"
        ),
        pytest.param(
            "python", "def f():\n    a = 1\n", "    return a\n", "    ", id="between two lines of a block"
        ),
        pytest.param("java", "  {\n    a();\n", "    b();\n", "    ", id="in braces too"),
        pytest.param("python", "def f():\n    a = 1\n", "", "", id="a block may have ended"),
        pytest.param("python", "def f():\n    a = 1\n\n", "    return a\n", "", id="a blank line above"),
        pytest.param("python", "    return a\n", "    b\n", "", id="after a statement that leaves"),
        pytest.param("javascript", "switch (a) {\n", "}\n", "", id="below a brace"),
        pytest.param("markdown", "- a\n", "- b\n", "", id="prose"),
        pytest.param("python", "", "x = 1\n", "", id="the first line"),
    ],
)
def test_an_empty_line_gets_the_indentation_that_is_certain(
    language: str, above: str, below: str, indent: str
) -> None:
    assert expected_indent(Window(above, "", "", below, language)) == indent


@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        pytest.param(" return a", "    return a", id="continues"),
        pytest.param("    return a", "    return a", id="repeats all of it"),
        pytest.param("\n    return a", "\n    return a", id="a blank line first"),
        pytest.param("  return a", "  return a", id="has its own"),
    ],
)
def test_an_answer_is_joined_to_an_indentation_that_only_the_prompt_has(
    answer: str, line: str, forced: bool
) -> None:
    start = line_start(Window("def f(a):\n", "", "", "", "python"), forced=forced)

    for pieces in ([answer], [*answer]):
        opening = Rejoin(start, forced=forced)
        assert "".join(map(opening.feed, pieces)) + opening.end() == line
