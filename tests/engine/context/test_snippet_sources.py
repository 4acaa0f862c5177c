"""A survey finds what may go with a prompt, and nothing from beyond the borders."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from llm_lsp.core.context.edit_history import EditHistory
from llm_lsp.core.context.ranking import PreparedContext, VisibleRange
from llm_lsp.core.context.snippet import CONTEXT_SOURCES
from llm_lsp.core.privacy.exclusion import SECRET_FILES, Exclusion
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.context.snippet_sources import ContextSources, ContextView

CODE = """\
def order_total(order):
    total = sum(item.price for item in order.items)
    return total + shipping_cost(order.country)
"""
QUESTION = "def basket_total(order):\n    total = sum(item.price for item in order.items)\n    return "


def opened(path: Path, text: str = QUESTION, language: str = "python") -> Document:
    return Document(path.as_uri(), language, 1, Text.of(text))


def view(document: Document, folder: Path, *others: Document, globs: tuple[str, ...] = ()) -> ContextView:
    folders = (folder.as_uri(),)
    exclusion = Exclusion((*SECRET_FILES, *globs), folders)
    edit_history = EditHistory()
    for other in others:
        edit_history = edit_history.at(other, Point(0, 0))
    point = document.text.end
    sight = VisibleRange.around(point, 1920)
    return ContextView(
        document,
        point,
        sight,
        (document, *others),
        edit_history,
        folders,
        exclusion,
        CONTEXT_SOURCES,
        now=0.0,
    )


def paths(prepared: PreparedContext) -> set[str]:
    return {candidate.snippet.path for candidate in prepared.ranked}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "app").mkdir(parents=True)
    return folder


def test_neighbours_and_open_documents_are_compared(project: Path) -> None:
    (project / "app" / "order.py").write_text(CODE)
    elsewhere = opened(project / "lib" / "total.py", CODE.replace("order", "other"))

    prepared = ContextSources().prepare(
        view(opened(project / "app" / "a.py"), project, elsewhere), PreparedContext()
    )

    assert paths(prepared) == {"app/order.py", "lib/total.py"}
    assert prepared.path == "app/a.py"


def test_files_of_its_name_in_the_folders_beside_are_compared(project: Path) -> None:
    for path in ("orders/views.py", "orders/models.py", "plans/parts/views.py"):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(CODE)

    prepared = ContextSources().prepare(
        view(opened(project / "baskets" / "views.py"), project), PreparedContext()
    )

    assert paths(prepared) == {"orders/views.py"}


def test_folders_beside_the_workspace_are_not_looked_into(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    scandir = os.scandir

    def scan(path: Path) -> object:
        seen.append(str(path))
        return scandir(path)

    monkeypatch.setattr("llm_lsp.engine.context.source_files.os.scandir", scan)

    ContextSources().prepare(view(opened(project / "views.py"), project), PreparedContext())
    assert seen == [str(project)]

    ContextSources().prepare(view(opened(project / "app" / "views.py"), project), PreparedContext())
    assert seen[1:] == [str(project / "app"), str(project)]


def test_a_loop_of_links_beside_the_folder_hides_no_other(project: Path) -> None:
    (project / "aaa").symlink_to(project / "aaa")
    (project / "orders").mkdir()
    (project / "orders" / "views.py").write_text(CODE)

    prepared = ContextSources().prepare(
        view(opened(project / "baskets" / "views.py"), project), PreparedContext()
    )

    assert paths(prepared) == {"orders/views.py"}


def test_a_folder_that_may_not_be_looked_into_costs_nothing_else(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "locked").mkdir()
    (project / "app" / "order.py").write_text(CODE)
    stat = os.stat

    def refusing(path: str, *args: object, **options: object) -> object:
        if "locked" in str(path):
            raise PermissionError(13, "no")
        return stat(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("os.stat", refusing)

    prepared = ContextSources().prepare(view(opened(project / "app" / "a.py"), project), PreparedContext())

    assert paths(prepared) == {"app/order.py"}


def test_the_document_itself_by_another_name_is_left_out(project: Path) -> None:
    (project / "v2").mkdir()
    (project / "v2" / "a.py").write_text(CODE)
    (project / "v2" / "alias.py").symlink_to(project / "v2" / "a.py")
    (project / "current").symlink_to(project / "v2")

    prepared = ContextSources().prepare(view(opened(project / "v2" / "a.py"), project), PreparedContext())

    assert paths(prepared) == set()
    assert {left.path for left in prepared.left_out} == {"current/a.py", "v2/alias.py"}


def test_what_is_open_is_taken_as_it_is_in_the_editor(project: Path) -> None:
    (project / "app" / "order.py").write_text(CODE)
    edited = opened(project / "app" / "order.py", CODE.replace("shipping_cost", "postage"))

    prepared = ContextSources().prepare(
        view(opened(project / "app" / "a.py"), project, edited), PreparedContext()
    )

    assert all("shipping_cost" not in candidate.snippet.text for candidate in prepared.ranked)


def test_an_open_file_is_known_however_its_uri_is_written(project: Path) -> None:
    path = project / "app" / "total+order.py"
    path.write_text(CODE)
    emptied = opened(path, "nothing_like_it = 1\n")
    emptied = replace(emptied, uri=emptied.uri.replace("%2B", "+"))

    prepared = ContextSources().prepare(
        view(opened(project / "app" / "a.py"), project, emptied), PreparedContext()
    )

    assert all("shipping_cost" not in candidate.snippet.text for candidate in prepared.ranked)


@pytest.mark.parametrize(
    ("name", "files", "why"),
    [
        pytest.param("secrets.py", {".aiignore": "secrets.py"}, "ignore files", id=".aiignore"),
        pytest.param("gen.py", {".gitignore": "gen.py"}, "ignore files", id=".gitignore"),
        pytest.param("any.py", {"app/.noai": ""}, "ignore files", id=".noai"),
        pytest.param("private.py", {}, "excluded", id="the user's glob"),
    ],
)
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "on disk"])
def test_what_is_excluded_is_left_out(
    project: Path, name: str, files: dict[str, str], why: str, is_open: bool
) -> None:
    for path, text in files.items():
        (project / path).write_text(text)
    (project / "app" / name).write_text(CODE)
    others = (opened(project / "app" / name, CODE),) if is_open else ()

    prepared = ContextSources().prepare(
        view(opened(project / "app" / "a.py"), project, *others, globs=("private.py",)), PreparedContext()
    )

    assert paths(prepared) == set()
    assert [(left.path, why in left.why) for left in prepared.left_out] == [(f"app/{name}", True)]


def test_a_link_out_of_the_workspace_or_to_an_excluded_file_is_left_out(project: Path) -> None:
    outside = project.parent / "outside.py"
    outside.write_text(CODE)
    (project / "app" / "out.py").symlink_to(outside)
    (project / ".env").write_text(CODE)
    (project / "app" / "alias.py").symlink_to(project / ".env")
    (project / "app" / "loop.py").symlink_to(project / "app" / "loop.py")

    prepared = ContextSources().prepare(view(opened(project / "app" / "a.py"), project), PreparedContext())

    assert paths(prepared) == set()
    assert len(prepared.left_out) == 3


def test_documents_of_another_folder_are_not_used(project: Path) -> None:
    other = project.parent / "other"
    seen = view(opened(project / "app" / "a.py"), project, opened(other / "b.py", CODE))
    seen = replace(seen, folders=(*seen.folders, other.as_uri()))

    assert paths(ContextSources().prepare(seen, PreparedContext())) == set()


def test_a_document_in_no_folder_has_only_itself(project: Path) -> None:
    (project / "b.py").write_text(CODE)
    document = opened(project / "a.py", CODE + "x = 1\n" * 400 + QUESTION)
    seen = replace(view(document, project, opened(project / "c.py", CODE)), folders=())

    prepared = ContextSources().prepare(seen, PreparedContext())

    assert paths(prepared) == {"a.py"}
    assert any("shipping_cost" in candidate.snippet.text for candidate in prepared.ranked)


def test_cells_of_a_notebook_are_in_its_folder(project: Path) -> None:
    cell, other = (
        replace(opened(project / "n.ipynb", text), uri=f"vscode-notebook-cell:{project}/n.ipynb#{part}")
        for part, text in (("W0", QUESTION), ("W1", CODE))
    )

    assert paths(ContextSources().prepare(view(cell, project, other), PreparedContext())) == {"n.ipynb"}


def test_other_languages_and_generated_files_are_not_alike(project: Path) -> None:
    (project / "app" / "b.py").write_text("# @generated\n" + CODE)
    (project / "app" / "c.js").write_text(CODE)

    assert (
        paths(ContextSources().prepare(view(opened(project / "app" / "a.py"), project), PreparedContext()))
        == set()
    )


def test_a_source_that_is_off_finds_nothing(project: Path) -> None:
    (project / "app" / "b.py").write_text(CODE)
    seen = replace(view(opened(project / "app" / "a.py"), project), sources=("edits", "visited"))

    assert paths(ContextSources().prepare(seen, PreparedContext())) == set()


def test_what_is_imported_is_told_by_its_signatures(project: Path) -> None:
    (project / "lib").mkdir()
    (project / "lib" / "shop.py").write_text("def shipping_cost(country: str) -> float:\n    return 1\n")
    document = opened(project / "app" / "a.py", "from lib.shop import shipping_cost\n" + QUESTION)

    (found,) = ContextSources().prepare(view(document, project), PreparedContext()).ranked

    assert found.source == "signatures"
    assert found.snippet.text == "def shipping_cost(country: str) -> float: ...\n"


def test_definitions_out_of_sight_are_told_by_their_signatures(project: Path) -> None:
    far = "def shipping_cost(country: str) -> float:\n    return 1\n" + "\n" * 400
    document = opened(project / "app" / "a.py", far + QUESTION + "shipping_cost(order")

    ranked = ContextSources().prepare(view(document, project), PreparedContext()).ranked

    assert [one.snippet.text for one in ranked if one.source == "signatures"] == [
        "def shipping_cost(country: str) -> float: ...\n"
    ]


def test_what_is_of_no_use_is_named_with_its_reason(project: Path) -> None:
    (project / "app" / "gbk.py").write_bytes(CODE.encode() + "价格 = 1\n".encode("gbk"))
    (project / "app" / "long.py").write_text("x = [" + "1, " * 400_000 + "]\n")
    (project / "app" / "made.py").write_text("# @generated\n" + CODE)
    (project / "app" / "order.py").write_text(CODE)

    prepared = ContextSources().prepare(view(opened(project / "app" / "a.py"), project), PreparedContext())

    assert paths(prepared) == {"app/order.py"}
    assert {left.path for left in prepared.left_out} == {"app/gbk.py", "app/long.py", "app/made.py"}
