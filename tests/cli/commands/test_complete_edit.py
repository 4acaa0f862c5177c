"""The next edit of a file with uncommitted changes, and measuring a model's: the whole commands, with a model API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.commands import complete, eval
from tests.evaluation.git_rig import GitRig, needs_git
from tests.providers.standin import DONE, Peer, Received, serve, text

pytestmark = needs_git

SOURCE = "first = 1\nsecond = 2\nthird = 3\nfourth = 4\nfifth = 5\nsixth = 6\nseventh = 7\n"
CHANGED = SOURCE.replace("first = 1", "first = 100")
ANSWER = CHANGED.replace("second = 2", "second = 200")


@asynccontextmanager
async def api(folder: Path, received: list[Received]) -> AsyncIterator[Path]:
    """Return a settings file that names a model for next edits; what it is sent is added to `received`."""

    async def say(request: Received, peer: Peer) -> None:
        if request.method == "POST":
            received.append(request)
        await peer.stream(*(text(line) for line in ANSWER.splitlines(keepends=True)), text("", "stop"), DONE)
        await peer.end()

    async with serve(say) as standin:
        file = folder / "config.toml"
        file.write_text(
            '[edits]\nprovider = "mine"\n[providers.mine]\napi = "openai-completions"\n'
            f'base_url = "{standin.url}/v1"\nmodel = "sweep-next-edit-0.5b"\n'
        )
        file.chmod(0o600)
        yield file


@pytest.fixture
def rig(home: Path) -> GitRig:
    """Make a repository with a file that has a change since its commit."""
    rig = GitRig.create(home / "project")
    rig.commit({"a.py": SOURCE})
    (rig.root / "a.py").write_text(CHANGED)
    return rig


async def run(command: object, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, [*arguments])  # type: ignore[arg-type]


async def test_a_models_next_edit_is_printed_as_a_diff(rig: GitRig, tmp_path: Path) -> None:
    received: list[Received] = []
    async with api(tmp_path, received) as config:
        result = await run(complete.command, f"{rig.root}/a.py:1:8", "--next-edit", "--config", str(config))

    assert result.exit_code == 0, result.output
    assert "-second = 2\n+second = 200\n" in result.stdout
    assert len(received) == 1


async def test_the_prompt_is_shown_and_not_sent(rig: GitRig, tmp_path: Path) -> None:
    received: list[Received] = []
    async with api(tmp_path, received) as config:
        arguments = (
            f"{rig.root}/a.py:1:8",
            "--next-edit",
            "--show-prompt",
            "--json",
            "--config",
            str(config),
        )
        result = await run(complete.command, *arguments)

    shown = json.loads(result.stdout)
    assert shown["kind"] == "raw"
    assert "original:\nfirst = 1\nsecond = 2\nupdated:\nfirst = 100\nsecond = 2\n" in shown["text"]
    assert shown["stop"] == ["<|endoftext|>", "<|file_sep|>"]
    assert received == []


async def test_an_unchanged_file_has_no_next_edit(rig: GitRig, tmp_path: Path) -> None:
    (rig.root / "a.py").write_text(SOURCE)

    result = await run(complete.command, f"{rig.root}/a.py:1", "--next-edit")

    assert result.exit_code == 1
    assert "as it was committed" in result.output


async def test_a_model_is_measured_once_and_then_from_its_recorded_answers(
    rig: GitRig, tmp_path: Path
) -> None:
    rig.commit({"a.py": ANSWER}, "Change two lines")
    received: list[Received] = []
    async with api(tmp_path, received) as config:
        arguments = (
            str(rig.root),
            "--edits",
            "--vary",
            "edits.provider=mine",
            "--json",
            "--config",
            str(config),
        )
        first = await run(eval.command, *arguments)
        n_asked = len(received)
        second = await run(eval.command, *arguments)

    assert first.exit_code == 0, first.output
    (report,) = json.loads(first.stdout)
    assert report["states"]
    assert n_asked > 0
    assert len(received) == n_asked
    edits = [[state["edits"] for state in json.loads(each.stdout)[0]["states"]] for each in (first, second)]
    assert edits[0] == edits[1]
