"""A cloned repository with modules that carry the names of ours and of our libraries: none of them is imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.hostile_folder import STARTS, check_the_server, plant, run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return plant(tmp_path)


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
def test_the_server_imports_nothing_of_the_folder_it_starts_in(start: list[str], repository: Path) -> None:
    check_the_server(start, repository)


@pytest.mark.parametrize(
    "arguments", [["doctor", "--offline", "--json"], ["config", "show"]], ids=lambda a: a[0]
)
def test_a_command_imports_nothing_of_the_folder_it_starts_in(arguments: list[str], repository: Path) -> None:
    done = run([sys.executable, "-m", "llm_lsp", *arguments], repository)

    assert done.returncode == 0, done.stderr
    assert b"evil" not in done.stdout
    assert not (repository.parent / "imported").exists()
