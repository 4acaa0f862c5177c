"""The prompt for a cell has the cells before it, in their order, and none that may not be sent."""

from __future__ import annotations

from llm_lsp.core.context.notebook_cells import NotebookCell
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.completion.job import PreparedPrompt
from tests.doubles import settle
from tests.engine.rig import Rig

NOTEBOOK = "file:///p/n.ipynb"


def uri(number: int, path: str = "/p/n.ipynb") -> str:
    return f"vscode-notebook-cell:{path}#W{number}sZmlsZQ%3D%3D"


def arrange(rig: Rig, *cells: str) -> None:
    rig.engine.arrange(NOTEBOOK, tuple(NotebookCell(cell, "markup" in cell) for cell in cells))


def prompt(rig: Rig, cell: str) -> str:
    """Return what a model would be asked at the end of a cell."""
    document = rig.engine.document(cell)
    assert document is not None
    request = CompletionRequest(1, document, document.text.end, Trigger.MANUAL, "inline", rig.clock.now())
    found = rig.engine.question(request)
    assert isinstance(found, PreparedPrompt)
    assert isinstance(found.prompt, RawPrompt)
    return found.prompt.text


async def test_the_cells_before_are_the_prefix_in_their_order() -> None:
    rig = Rig()
    for number, text in enumerate(["import math", "radius = 2", "area = ", "later = 3"]):
        await rig.write(text, uri(number))
    arrange(rig, *map(uri, range(4)))
    assert prompt(rig, uri(2)).startswith("import math\n\nradius = 2\n\narea =")
    assert "later" not in prompt(rig, uri(2))
    # A cell is moved, and one is taken out.
    arrange(rig, uri(1), uri(0), uri(2))
    assert prompt(rig, uri(2)).startswith("radius = 2\n\nimport math\n\narea =")
    arrange(rig, uri(0), uri(2))
    assert "radius" not in prompt(rig, uri(2))
    # The notebook is closed.
    arrange(rig)
    assert prompt(rig, uri(2)).startswith("area =")
    await rig.engine.aclose()


async def test_what_was_typed_in_a_cell_before_is_there() -> None:
    rig = Rig()
    await rig.write("a", uri(0))
    await rig.write("b = ", uri(1))
    arrange(rig, uri(0), uri(1))
    await rig.type("bc = 1", uri(0))
    assert prompt(rig, uri(1)).startswith("abc = 1\n\nb =")
    await rig.engine.aclose()


async def test_a_secret_of_a_cell_before_is_redacted() -> None:
    rig = Rig()
    await rig.write("token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'", uri(0))
    await rig.write("b = ", uri(1))
    arrange(rig, uri(0), uri(1))
    assert "ghp_0123" not in prompt(rig, uri(1))
    await rig.engine.aclose()


async def test_a_cell_whose_own_uri_is_excluded_is_left_out() -> None:
    rig = Rig()
    await rig.write("hidden = 1", uri(0, "/p/.env"))
    await rig.write("b = ", uri(1))
    arrange(rig, uri(0, "/p/.env"), uri(1))
    assert "hidden" not in prompt(rig, uri(1))
    await rig.engine.aclose()


async def test_a_cell_of_a_clients_own_scheme_is_served_by_its_notebook() -> None:
    rig = Rig()
    cell = "jupyter-cell:/p/n.ipynb#b1c2"
    rig.engine.open(Document(cell, "python", 1, Text.of("b = "), NOTEBOOK))
    await settle()
    assert prompt(rig, cell).startswith("b =")
    await rig.engine.aclose()
