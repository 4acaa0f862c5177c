"""The indentation of open documents as the files around them state it."""

from __future__ import annotations

from pathlib import Path

from llm_lsp.engine.workspace.stated_indents import StatedIndents
from tests.doubles import at_once


async def read(path: Path) -> str:
    indents = StatedIndents(at_once)
    indents.look(path.as_uri())
    assert indents.unit(path.as_uri()) == ""
    await indents.known(path.as_uri())
    return indents.unit(path.as_uri())


async def test_the_nearest_file_wins_and_a_root_ends_the_search(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / ".editorconfig").write_text("root = true\n[*]\nindent_style = tab\n")
    (tmp_path / "a" / ".editorconfig").write_text("[b/*.py]\nindent_style = space\nindent_size = 2\n")

    assert await read(folder / "c.py") == "  "
    assert await read(folder / "c.go") == "\t"

    (tmp_path / "a" / ".editorconfig").write_text("root = true\n")
    assert await read(folder / "c.go") == ""


async def test_a_file_that_cannot_be_read_states_nothing(tmp_path: Path) -> None:
    (tmp_path / ".editorconfig").mkdir()

    assert await read(tmp_path / "c.py") == ""


async def test_a_document_without_a_file_has_no_statement() -> None:
    indents = StatedIndents(at_once)
    indents.look("untitled:Untitled-1")
    await indents.known("untitled:Untitled-1")

    assert indents.unit("untitled:Untitled-1") == ""


async def test_a_changed_file_is_read_again_also_while_it_is_read(tmp_path: Path) -> None:
    config, uri = tmp_path / ".editorconfig", (tmp_path / "c.py").as_uri()
    indents = StatedIndents(at_once)
    indents.look(uri)
    config.write_text("root = true\n[*]\nindent_size = 2\n")
    await indents.known(uri)
    config.write_text("root = true\n[*]\nindent_size = 8\n")
    indents.look_again()
    indents.look_again()
    await indents.known(uri)

    assert indents.unit(uri) == " " * 8


async def test_what_was_closed_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / ".editorconfig").write_text("root = true\n[*]\nindent_size = 2\n")
    uri = (tmp_path / "c.py").as_uri()
    indents = StatedIndents(at_once)
    indents.look(uri)
    indents.closed(uri)
    await indents.known(uri)

    assert indents.unit(uri) == ""
    await indents.aclose()
