"""A project's own ignore files are read as git reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_lsp.engine.privacy.ignore_files import IgnoreFiles


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "path", "is_ignored"),
    [
        pytest.param({}, "a.py", False, id="no ignore file"),
        pytest.param({".gitignore": "*.log\n"}, "deep/in/x.log", True, id="a glob above"),
        pytest.param({".gitignore": "/build/\n"}, "build/deep/a.py", True, id="a folder"),
        pytest.param({".gitignore": "/build/\n"}, "src/build/a.py", False, id="a folder of the root alone"),
        pytest.param(
            {".gitignore": "*.py\n", "src/.gitignore": "!a.py\n"}, "src/a.py", False, id="taken back below"
        ),
        pytest.param(
            {".gitignore": "src/\n", "src/.gitignore": "!a.py\n"},
            "src/a.py",
            True,
            id="not out of an ignored folder",
        ),
        pytest.param({"src/.gitignore": "/a.py\n"}, "a.py", False, id="another folder's"),
        pytest.param({".aiignore": "a.py\n"}, "a.py", True, id="the assistants' own"),
        pytest.param(
            {".aiignore": "a.py\n", ".gitignore": "!a.py\n"}, "a.py", True, id="git's does not take it back"
        ),
        pytest.param({".noai": ""}, "deep/a.py", True, id="the whole project"),
        pytest.param({"src/.noai": ""}, "src/deep/a.py", True, id="a folder's marker"),
        pytest.param({"src/.noai": ""}, "other/a.py", False, id="not beside the marker"),
        pytest.param({".gitignore": "\xff[\n*.py\n"}, "a.py", True, id="not UTF-8 and a broken glob"),
    ],
)
def test_ignore_files(tmp_path: Path, files: dict[str, str], path: str, is_ignored: bool) -> None:
    write(tmp_path, files)

    assert IgnoreFiles(tmp_path).covers(tmp_path / path) == is_ignored


def test_the_repository_above_the_workspace_counts(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", ".gitignore": "*.gen.py\n", "app/a.gen.py": ""})

    assert IgnoreFiles(tmp_path / "app").covers(tmp_path / "app" / "a.gen.py")


def test_outside_is_ignored(tmp_path: Path) -> None:
    assert IgnoreFiles(tmp_path / "project").covers(tmp_path / "other.py")


def test_an_ignore_file_that_is_too_large_or_a_pipe_closes_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {"large/.gitignore": "#" * 300_000, "pipe/a.py": ""})
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe" / ".gitignore")
        assert IgnoreFiles(tmp_path).covers(tmp_path / "pipe" / "a.py")

    assert IgnoreFiles(tmp_path).covers(tmp_path / "large" / "a.py")


@pytest.mark.parametrize(("is_folder", "is_ignored"), [(True, True), (False, False)])
def test_a_glob_for_folders_is_about_folders(is_folder: bool, is_ignored: bool, tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "build/\n"})

    assert IgnoreFiles(tmp_path).covers(tmp_path / "build", is_folder=is_folder) is is_ignored
