"""A question about code, answered on standard output, and remembered for its folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.main import group
from tests.providers.standin import DONE, Peer, Received, StandIn, serve, sse


@asynccontextmanager
async def talker(home: Path, *answers: str, finish: str = "stop") -> AsyncIterator[StandIn]:
    """Be the user's provider, and say these answers, one a question."""
    left = [*answers]

    async def say(received: Received, peer: Peer) -> None:
        if received.method != "POST":
            await peer.json({})
            return
        pieces = [sse({"choices": [{"delta": {"content": word}}]}) for word in left.pop(0).split("|")]
        end = sse({"choices": [{"delta": {}, "finish_reason": finish}]})
        await peer.stream(*pieces, end, DONE)
        await peer.end()

    async with serve(say) as standin:
        (home / "home").mkdir(exist_ok=True)
        provider = f'api = "openai-chat"\nbase_url = "{standin.url}/v1"\nmodel = "m"\n'
        (home / "home" / "config.toml").write_text(f'provider = "mine"\n[providers.mine]\n{provider}')
        yield standin


async def ask(*arguments: str, stdin: str = "") -> Result:
    return await asyncio.to_thread(CliRunner().invoke, group, ["ask", *arguments], input=stdin)


def messages(standin: StandIn) -> list[list[object]]:
    """Return what was sent: for each question, its texts without roles."""
    calls = [received.json["messages"] for received in standin.received if received.method == "POST"]
    return [[message["content"] for message in call[1:]] for call in calls]  # type: ignore[index] # decoded JSON


async def test_the_answer_is_printed_and_the_lines_are_sent(home: Path) -> None:
    (home / "project" / "a.py").write_text("a = 1\nb = 2\nc = 3\n")

    async with talker(home, "It is| two.") as standin:
        result = await ask("What is b?", "a.py:2-3")

    assert (result.stdout, result.exit_code) == ("It is two.\n", 0)
    [[message]] = messages(standin)
    assert message == '<file path="a.py" language="python" first_line="2">\nb = 2\nc = 3\n</file>\nWhat is b?'


async def test_a_script_reads_one_object(home: Path) -> None:
    async with talker(home, "It| is\n“two”.", finish="length"):
        result = await ask("What is b?", "--json")

    assert json.loads(result.stdout) == {"text": "It is\n“two”.", "whole": False}
    assert result.stderr == ""


async def test_a_warning_about_the_books_follows_the_whole_answer(home: Path) -> None:
    (home / "data").write_text("no folder")

    async with talker(home, "It is| two."):
        result = await ask("What is b?")

    assert result.output.startswith("It is two.\nwarning: usage is not saved")


async def test_the_next_question_knows_the_last_until_new_starts_over(home: Path) -> None:
    async with talker(home, "one", "two", "three") as standin:
        await ask("first?")
        await ask("second?")
        await ask("third?", "--new")

    assert messages(standin) == [["first?"], ["first?", "one", "second?"], ["third?"]]


async def test_standard_input_takes_lines_too(home: Path) -> None:
    async with talker(home, "yes") as standin:
        await ask("ok?", "-:1", stdin="x = 1\ny = 2\n")

    [[message]] = messages(standin)
    assert 'first_line="1">\nx = 1\n</file>' in str(message)


async def test_a_cut_answer_says_so_beside_it(home: Path) -> None:
    async with talker(home, "half", finish="length"):
        result = await ask("why?")

    assert result.stdout == "half\n"
    assert "cut at" in result.stderr


@pytest.mark.parametrize("name", [".env", "notes.txt", "link.txt"])
async def test_an_excluded_or_ignored_file_is_not_sent(name: str, home: Path) -> None:
    for file, text in ((".env", "KEY=1"), (".gitignore", "notes.txt"), ("notes.txt", "private")):
        (home / "project" / file).write_text(text)
    (home / "project" / "link.txt").symlink_to(".env")

    async with talker(home) as standin:
        result = await ask("what?", name)

    assert result.exit_code == 1
    assert "not asked, this file is excluded" in result.stderr
    assert messages(standin) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["why?", "missing.py:1-2"], "cannot read missing.py", id="no such file"),
        pytest.param(["why?", "a.py:2-9"], "the file has 2", id="lines below the end"),
        pytest.param(["why?", "a.py:2-1"], "lines 2 to 1 do not exist", id="backwards"),
        pytest.param([" "], "the question is empty", id="no question"),
        pytest.param(["why?", "--provider", "nobody"], "nobody", id="no such provider"),
    ],
)
async def test_what_cannot_be_asked_is_one_line(arguments: list[str], words: str, home: Path) -> None:
    (home / "project" / "a.py").write_text("a = 1\n")

    result = await ask(*arguments)

    assert result.exit_code != 0
    assert words in result.stderr
