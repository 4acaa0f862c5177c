"""A project's own ignore files are read as git reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_lsp.engine.privacy.ignore_files import IgnoreFiles, RulesCache


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


FAR = "/".join("abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("folder", ["app", FAR], ids=["near", "far"])
@pytest.mark.parametrize(
    ("files", "is_ignored"),
    [
        pytest.param({"repo/.git/HEAD": "", ".noai": ""}, True, id="a marker above the repository"),
        pytest.param({"repo/.git/HEAD": "", ".aiignore": "a.py\n"}, True, id="a list above the repository"),
        pytest.param(
            {"repo/.git/HEAD": "", ".gitignore": "a.py\n"}, False, id="git's list above the repository"
        ),
        pytest.param({"repo/.git/HEAD": "", "repo/.gitignore": "a.py\n"}, True, id="git's list in its root"),
        pytest.param({".noai": ""}, True, id="a marker, without git"),
        pytest.param({".aiignore": "a.py\n"}, True, id="a list, without git"),
        pytest.param({".aiignore": "/repo/\n"}, True, id="a list with the folder's path, without git"),
        pytest.param({".gitignore": "a.py\n"}, False, id="git's list, without git"),
        pytest.param({"repo/.aiignore": "!a.py\n", ".aiignore": "a.py\n"}, False, id="taken back below"),
    ],
)
def test_ignore_files_above_the_workspace(
    tmp_path: Path, folder: str, files: dict[str, str], is_ignored: bool
) -> None:
    workspace = tmp_path / "repo" / folder
    write(tmp_path, {**files, f"repo/{folder}/a.py": ""})

    assert IgnoreFiles(workspace).covers(workspace / "a.py") is is_ignored


@pytest.mark.parametrize("name", ["a.py~", "#a.py#", ".#a.py", "a.py.bak", ".a.py.swp", "a (1).py"])
@pytest.mark.parametrize("file", [".gitignore", ".aiignore"])
def test_a_copy_of_what_is_ignored_is_ignored(tmp_path: Path, name: str, file: str) -> None:
    write(tmp_path, {file: "/a.py\n", "b.py": ""})

    assert IgnoreFiles(tmp_path).covers(tmp_path / name)
    assert not IgnoreFiles(tmp_path).covers(tmp_path / name.replace("a", "b"))


def test_a_file_that_does_not_change_is_read_once_and_a_change_is_heeded(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "a.py\n"})
    cache = RulesCache()

    before = cache.rules(tmp_path / ".gitignore")
    assert cache.rules(tmp_path / ".gitignore") is before
    write(tmp_path, {".gitignore": "other.py\n"})
    assert not IgnoreFiles(tmp_path, cache).covers(tmp_path / "a.py")
    assert IgnoreFiles(tmp_path, cache).covers(tmp_path / "other.py")
    (tmp_path / ".gitignore").unlink()
    assert cache.rules(tmp_path / ".gitignore") is None


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
