"""A cell is completed as if it stood below the cells before it."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.notebook_cells import MAX_CELLS_CHARS, OpenCell, below_cells
from llm_lsp.core.generation import Finish
from llm_lsp.core.request import Trigger
from llm_lsp.core.response.postprocess import Insertion
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from tests.core.suggestion import suggest


def cell(text: str, language: str = "python", *, is_markup: bool = False) -> OpenCell:
    return OpenCell(Document("vscode-notebook-cell:/n.ipynb#1", language, 1, Text.of(text)), is_markup)


@pytest.mark.parametrize(
    ("above", "language", "head"),
    [
        pytest.param([cell("import math\n"), cell("x = 1")], "python", "import math\n\nx = 1\n\n", id="in order"),
        pytest.param([cell("# Title\n\nSome text", "markdown", is_markup=True)], "python", "# # Title\n#\n# Some text\n\n", id="Markdown is a comment"),
        pytest.param([cell("Text", "markdown", is_markup=True)], "typescript", "// Text\n\n", id="in the cell's language"),
        pytest.param([cell("Text", "markdown", is_markup=True)], "markdown", "Text\n\n", id="prose stays"),
        pytest.param([cell("Text */", "markdown", is_markup=True)], "css", "/*\nText \n*/\n\n", id="a comment that ends"),
        pytest.param([cell("SELECT 1", "sql")], "python", "# SELECT 1\n\n", id="another language"),
        pytest.param([cell("%matplotlib inline\n!pip install x\n%%time\nf()")], "python", "%matplotlib inline\n!pip install x\n%%time\nf()\n\n", id="magics and shell lines"),
        pytest.param([cell(""), cell("\n\n"), cell("x\r\ny\r\n")], "python", "x\r\ny\n\n", id="empty cells and line ends"),
        pytest.param([], "python", "", id="no cells"),
    ],
)  # fmt: skip
def test_the_cells_above_stand_above(above: list[OpenCell], language: str, head: str) -> None:
    document = Document("u", language, 3, Text.of("y = (\n  x"))

    joined, point = below_cells(document, Point(1, 3), above)

    assert str(joined.text) == head + "y = (\n  x"
    assert joined.text.line(point.line) == "  x"
    assert (joined.uri, joined.version, point.column) == ("u", 3, 3)


def test_no_more_than_a_bound_is_taken_and_the_nearest_first() -> None:
    above = [cell("far = 1\n"), cell("line = 1\n" * MAX_CELLS_CHARS), cell("near = 1\n")]

    joined, _ = below_cells(Document("u", "python", 1, Text.of("x")), Point(0, 1), above)

    assert joined.text.size <= MAX_CELLS_CHARS + 100
    assert str(joined.text).startswith("line = 1\n")
    assert str(joined.text).endswith("\n\nnear = 1\n\nx")


@pytest.mark.parametrize(
    "answer",
    [
        "%matplotlib inline",
        "!pip install numpy",
        "%%timeit\nf(x)",
        "%load_ext autoreload",
        "!ls *.csv",
        "?print",
        "files = !ls",
    ],
)
def test_magics_and_shell_lines_survive(answer: str) -> None:
    document = Document("vscode-notebook-cell:/n.ipynb#2", "python", 1, Text.of(""))

    done = suggest(document, Point(0, 0), answer, Finish.STOP, Trigger.MANUAL)

    assert isinstance(done, Insertion)
    assert done.text.split("\n")[0] == answer.split("\n")[0]
