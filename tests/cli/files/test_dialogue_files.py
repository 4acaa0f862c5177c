"""What was asked and answered is kept for its folder, and for its user alone."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from urllib.request import url2pathname

import pytest

from llm_lsp.cli.files.dialogue_files import KEPT_S, DialogueFiles
from llm_lsp.core.chat.dialogue import Exchange
from llm_lsp.errors import DialogueError

SAID = (Exchange("<file>…</file>\n", "why?", "because"), Exchange("", "half a pair: \ud800", "\ud800"))


@pytest.fixture
def files(tmp_path: Path) -> DialogueFiles:
    return DialogueFiles(tmp_path / "ask")


def test_what_was_said_about_a_folder_is_said_about_no_other(files: DialogueFiles) -> None:
    files.write("file:///p", SAID)

    assert files.read("file:///p") == SAID
    assert files.read("file:///q") == ()


def test_a_page_shows_it(files: DialogueFiles) -> None:
    page = files.write("file:///p", SAID[:1])

    assert Path(url2pathname(page.removeprefix("file://"))).read_text() == "> why?\n\nbecause\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_can_read_it(files: DialogueFiles, tmp_path: Path) -> None:
    files.write("file:///p", SAID)

    paths = [tmp_path / "ask", *(tmp_path / "ask").iterdir()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o600, 0o600]


def test_what_is_a_month_old_is_removed(files: DialogueFiles, tmp_path: Path) -> None:
    files.write("file:///p", SAID)
    for path in (tmp_path / "ask").iterdir():
        os.utime(path, (0, path.stat().st_mtime - KEPT_S - 60))

    files.write("file:///q", SAID)

    assert files.read("file:///p") == ()
    assert files.read("file:///q") == SAID


@pytest.mark.parametrize("damage", ["{", "[]", '{"exchanges": [1]}', '{"exchanges": [["a"]]}', "\xff"])
def test_a_damaged_file_is_named_with_the_remedy_and_left_alone(
    damage: str, files: DialogueFiles, tmp_path: Path
) -> None:
    files.write("file:///p", SAID)
    [file] = (tmp_path / "ask").glob("*.json")
    file.write_text(damage, "latin-1")

    with pytest.raises(DialogueError, match="start a new conversation with `llm-lsp ask --new`"):
        files.read("file:///p")
    assert file.read_text("latin-1") == damage


def test_where_it_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "ask").write_text("in the way")

    with pytest.raises(DialogueError, match="cannot be written"):
        DialogueFiles(tmp_path / "ask").write("file:///p", SAID)
