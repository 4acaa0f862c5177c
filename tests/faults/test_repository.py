"""Faults from 54 on of docs/faults.md: what is in a cloned repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.machine import Machine, ask_in, machine
from tests.faults.upstream import ANSWER


@pytest.fixture
async def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    async with machine(tmp_path, monkeypatch) as made:
        yield made


HOSTILE = ("*a" * 25 + "b", "**/*a" * 25 + "b", "[a-z]*" * 25 + "0", "*" * 2000 + "b")


@pytest.mark.parametrize("place", [".gitignore", ".aiignore", ".llm-lsp.toml"])
async def test_fault_54_a_pattern_of_a_cloned_repository_holds_nothing_up(
    computer: Machine, place: str, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    lines = "\n".join(HOSTILE)
    exclude = f"[privacy]\nexclude = {[*HOSTILE]}\n"
    (folder / place).write_text(exclude if place.endswith(".toml") else lines)
    name = "a" * 100 + ".py"
    async with computer.server() as client:
        added = {"added": [{"uri": folder.as_uri(), "name": "repository"}], "removed": []}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": added})
        assert await ask_in(client, (folder / name).as_uri()) == ANSWER
