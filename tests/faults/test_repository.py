"""Faults 54 to 56 of docs/faults.md: what is in a cloned repository, and which of a disk's files is sent."""

from __future__ import annotations

import os
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


async def test_fault_55_an_excluded_file_is_excluded_by_every_name(computer: Machine, tmp_path: Path) -> None:
    deep = "/".join("abcdefghijklmnopqrst")
    workspace = tmp_path / "above" / "repository" / deep
    for path, text in {
        "above/.aiignore": "listed.py\n",
        "above/repository/.git/HEAD": "",
        "above/repository/.gitignore": "ignored.py\nis#raw.py\n",
        f"above/repository/{deep}/main.py": "",
        "marked/.noai": "",
        "marked/main.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    here = workspace.as_posix()
    hidden = [f"{scheme}{here}/.env" for scheme in ("untitled:", "vscode-userdata:", "vscode-remote://host")]
    hidden += (
        f"file://{here}/{name}" for name in (".env~", "#.env#", "%23.env%23", ".env.bak", ".env?a", ".env#a")
    )
    hidden += (f"file://{here}/{name}" for name in (".server.key.swp", "id_rsa.old", "a#/.env", "is#raw.py"))
    hidden += (
        f"file://{here}/{name}" for name in ("listed.py", "ignored.py", "ignored.py~", "listed.py.orig")
    )
    hidden.append((tmp_path / "marked" / "main.py").as_uri())
    async with computer.server() as client:
        added = {"added": [{"uri": workspace.as_uri(), "name": "repository"}], "removed": []}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": added})
        assert [uri for uri in hidden if await ask_in(client, uri)] == []
        assert computer.calls == 0
        assert await ask_in(client, f"file://{here}/main.py") == ANSWER


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege there")
async def test_fault_56_a_file_with_a_second_name_goes_to_no_remote_provider(
    computer: Machine, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("")
    dependency = tmp_path / "node_modules" / "a.py"
    dependency.parent.mkdir()
    for link in (tmp_path / "innocent.py", dependency):
        os.link(tmp_path / ".env", link)
    async with computer.server() as client:
        assert await ask_in(client, (tmp_path / "innocent.py").as_uri()) == ""
        assert computer.calls == 0
        assert await ask_in(client, dependency.as_uri()) == ANSWER
    computer.settings.write_text(computer.settings.read_text().replace("local = false", "local = true"))
    async with computer.server() as client:
        assert await ask_in(client, (tmp_path / "innocent.py").as_uri()) == ANSWER
