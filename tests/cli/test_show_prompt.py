"""What `complete --show-prompt` prints is what a model gets, and printing it sends nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.commands.complete import command
from tests.providers.standin import DONE, Peer, Received, serve, text

# Its second line holds a control token of the family that is asked.
SOURCE = "def save(data):\n    mark = '<|fim_middle|>'\n    return \n"

SHOWN = [
    pytest.param("openai-completions", "qwen", {"prompt": ["text"]}, id="raw"),
    pytest.param(
        "llamacpp-infill", "native", {"input_prefix": ["prefix"], "input_suffix": ["suffix"]}, id="fim"
    ),
    pytest.param("openai-chat", "chat", {"messages": ["messages"]}, id="chat"),
]


def run(folder: Path, *arguments: str) -> Result:
    (folder / "a.py").write_text(SOURCE)
    place = f"{folder}/a.py:3:12"
    return CliRunner().invoke(command, [place, "--config", str(folder / "config.toml"), *arguments])


def configure(folder: Path, api: str, fim: str, url: str) -> None:
    provider = f'api = "{api}"\nbase_url = "{url}"\nmodel = "m"\nfim = "{fim}"\n'
    (folder / "config.toml").write_text(f'provider = "mine"\n[providers.mine]\n{provider}')
    (folder / "config.toml").chmod(0o600)


@pytest.mark.parametrize(("api", "fim", "fields"), SHOWN)
async def test_what_is_shown_is_what_is_sent(
    api: str, fim: str, fields: dict[str, list[str]], tmp_path: Path
) -> None:
    posts: list[Received] = []

    async def say(received: Received, peer: Peer) -> None:
        if received.method != "POST":
            await peer.json({})
            return
        posts.append(received)
        await peer.stream(text("", "stop"), DONE)
        await peer.end()

    async with serve(say) as standin:
        configure(tmp_path, api, fim, f"{standin.url}/v1")
        shown = await asyncio.to_thread(run, tmp_path, "--show-prompt", "--json")
        assert shown.exit_code == 0, shown.output
        assert posts == []
        await asyncio.to_thread(run, tmp_path)

    prompt, sent = json.loads(shown.stdout), posts[0].json
    if api == "openai-chat":
        prompt["messages"] = [{"role": one["role"], "content": one["text"]} for one in prompt["messages"]]
    assert {field: sent[field] for field in fields} == {
        field: prompt[keys[0]] for field, keys in fields.items()
    }
    assert (prompt["provider"], prompt["model"]) == ("mine", "m")


def test_control_tokens_are_shown_as_they_are_sent(tmp_path: Path) -> None:
    configure(tmp_path, "openai-completions", "qwen", "http://127.0.0.1:9/v1")

    result = run(tmp_path, "--show-prompt")

    assert "'< |fim_middle|>'" in result.stdout
    assert result.stdout.count("<|fim_middle|>") == 1
    assert "to mine, model m" in result.stderr


def test_the_sides_of_a_hole_have_their_names(tmp_path: Path) -> None:
    configure(tmp_path, "llamacpp-infill", "native", "http://127.0.0.1:9")

    result = run(tmp_path, "--show-prompt")

    assert [line for line in result.stderr.splitlines() if line.startswith("---")][:2] == [
        "--- before the cursor",
        "--- after the cursor",
    ]


def test_a_file_that_is_never_sent_shows_no_prompt(tmp_path: Path) -> None:
    configure(tmp_path, "openai-completions", "none", "http://127.0.0.1:9/v1")
    (tmp_path / ".env").write_text("KEY=")

    result = CliRunner().invoke(
        command, [f"{tmp_path}/.env", "--config", f"{tmp_path}/config.toml", "--show-prompt"]
    )

    assert result.exit_code == 1
    assert "excluded" in result.output
    assert "KEY" not in result.output


def test_a_batch_has_no_one_prompt(tmp_path: Path) -> None:
    (tmp_path / "batch.jsonl").write_text("")

    result = CliRunner().invoke(command, ["--batch", f"{tmp_path}/batch.jsonl", "--show-prompt"])

    assert result.exit_code == 2
