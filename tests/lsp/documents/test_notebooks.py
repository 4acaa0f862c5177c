"""The messages that VS Code sends while a notebook is used, and the order of cells that follows from them."""

from __future__ import annotations

from typing import Any

import pytest

from llm_lsp.lsp.documents.notebooks import notebook_of
from tests.lsp.fakes import Wire, started

NOTEBOOK = "file:///p/n.ipynb"
CODE, MARKUP = 2, 1


def uri(number: int) -> str:
    """Write a cell's URI as VS Code does."""
    return f"vscode-notebook-cell:/p/n.ipynb#W{number}sZmlsZQ%3D%3D"


def cell(number: int, kind: int = CODE) -> dict[str, Any]:
    return {
        "kind": kind,
        "document": uri(number),
        "metadata": {"custom": {}},
        "executionSummary": {"executionOrder": 1, "success": True},
    }


def item(number: int, language: str = "python") -> dict[str, Any]:
    return {"uri": uri(number), "languageId": language, "version": 1, "text": f"x{number}"}


def opened(*kinds: int) -> Wire:
    wire = started()
    cells = [cell(number, kind) for number, kind in enumerate(kinds)]
    notebook = {
        "uri": NOTEBOOK,
        "notebookType": "jupyter-notebook",
        "version": 0,
        "cells": cells,
        "metadata": {},
    }
    items = [item(number, "python" if kind == CODE else "markdown") for number, kind in enumerate(kinds)]
    wire.send("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": items})
    return wire


def change(wire: Wire, start: int, deleted: int, *cells: dict[str, Any], **more: Any) -> None:
    array = {"start": start, "deleteCount": deleted, "cells": list(cells)}
    structure = {"array": array, "didOpen": more.get("opened", []), "didClose": more.get("closed", [])}
    params = {
        "notebookDocument": {"uri": NOTEBOOK, "version": 1},
        "change": {"cells": {"structure": structure}},
    }
    wire.send("notebookDocument/didChange", params)


def order(wire: Wire) -> list[int]:
    return [int(cell.uri.partition("#W")[2].partition("s")[0]) for cell in wire.engine.notebooks[NOTEBOOK]]


def test_cells_are_known_in_order_with_their_kind() -> None:
    wire = opened(MARKUP, CODE, CODE)
    assert order(wire) == [0, 1, 2]
    assert [cell.is_markup for cell in wire.engine.notebooks[NOTEBOOK]] == [True, False, False]
    assert wire.engine.documents[uri(1)].notebook == NOTEBOOK


def test_cells_are_inserted_removed_and_moved() -> None:
    wire = opened(CODE, CODE, CODE)
    change(wire, 1, 0, cell(7), opened=[item(7)])
    assert order(wire) == [0, 7, 1, 2]
    assert wire.engine.text_of(uri(7)) == "x7"
    # VS Code moves a cell in one change: removed in one place, and there again in another.
    change(wire, 0, 3, cell(7), cell(1), cell(0))
    assert order(wire) == [7, 1, 0, 2]
    change(wire, 0, 1, closed=[{"uri": uri(7)}])
    assert order(wire) == [1, 0, 2]
    assert uri(7) not in wire.engine.documents


def test_a_cell_that_becomes_markdown_is_one() -> None:
    wire = opened(CODE, CODE)
    data = {"cells": {"data": [cell(0, MARKUP)]}}
    wire.send(
        "notebookDocument/didChange", {"notebookDocument": {"uri": NOTEBOOK, "version": 1}, "change": data}
    )
    assert [cell.is_markup for cell in wire.engine.notebooks[NOTEBOOK]] == [True, False]


def test_a_change_of_metadata_alone_changes_nothing() -> None:
    wire = opened(CODE)
    params = {"notebookDocument": {"uri": NOTEBOOK, "version": 1}, "change": {"metadata": {"a": 1}}}
    wire.send("notebookDocument/didChange", params)
    assert order(wire) == [0]


@pytest.mark.parametrize(
    ("cell", "notebook"),
    [
        pytest.param("vscode-notebook-cell:/p/n.ipynb#W0sZmlsZQ%3D%3D", NOTEBOOK, id="VS Code"),
        pytest.param("file:///p/n.ipynb#cell-id", NOTEBOOK, id="a fragment of the file"),
        pytest.param("jupyter-notebook-cell:///p/n.ipynb#b1c2", NOTEBOOK, id="another client"),
        pytest.param("cell:1234", "", id="a name that tells nothing"),
        pytest.param("output:/p/other.ipynb", "", id="another file"),
    ],
)
def test_a_cell_belongs_to_the_notebook_whose_file_it_names(cell: str, notebook: str) -> None:
    assert notebook_of(cell, NOTEBOOK) == notebook
