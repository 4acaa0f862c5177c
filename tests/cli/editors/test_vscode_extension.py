"""Our extension goes to each VS Code that is there, by VS Code's own command line."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from llm_lsp.cli.editors import vscode_extension as extension
from llm_lsp.errors import EditorFileError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs here are shell scripts")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, the only one on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def package(folder: Path) -> Path:
    (path := folder / "llm-lsp.vsix").touch()
    return path


def add_program(folder: Path, name: str, script: str = "") -> Path:
    """Add one that writes down what it was told; gives where."""
    told = folder / f"{name}.told"
    program = folder / name
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\n{script}\n')
    program.chmod(stat.S_IRWXU)
    return told


def test_each_one_that_is_there_installs_it(folder: Path, package: Path) -> None:
    told = [add_program(folder, name) for name in ("code", "cursor")]
    assert extension.install(package) == ["code", "cursor"]
    assert [each.read_text() for each in told] == [f"--install-extension {package} --force\n"] * 2


def test_each_one_removes_it(folder: Path) -> None:
    told = add_program(folder, "codium")
    assert extension.uninstall() == ["codium"]
    assert told.read_text() == "--uninstall-extension llm-lsp.llm-lsp\n"


def test_where_there_is_none_it_says_what_was_looked_for(folder: Path, package: Path) -> None:
    with pytest.raises(EditorFileError, match=r"none of code, .* is on your PATH"):
        extension.install(package)


def test_one_that_refuses_is_quoted(folder: Path, package: Path) -> None:
    add_program(folder, "code", "echo first >&2; echo 'is not compatible' >&2; exit 1")
    with pytest.raises(EditorFileError, match=r"^code --install-extension: is not compatible$"):
        extension.install(package)


def test_a_package_that_was_not_built_names_the_command(folder: Path) -> None:
    add_program(folder, "code")
    with pytest.raises(EditorFileError, match=r"npm ci && npm run package.* pipx install --force"):
        extension.install(folder / "absent.vsix")
