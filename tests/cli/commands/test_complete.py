"""One completion, printed as it is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.commands.complete import CompletionPrinter, command
from llm_lsp.cli.completion_target import point_of, read_target
from llm_lsp.cli.terminal.console import ConsoleClient
from llm_lsp.core.request import Completion
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.engine import CompletionEngine
from tests.doubles import settle
from tests.providers.standin import DONE, Peer, Received, serve, text

SOURCE = "def save(data):\n    dump(data)\n\n\ndef load():\n    \n"


@asynccontextmanager
async def settings(folder: Path, *pieces: str) -> AsyncIterator[Path]:
    """Return a settings file for an API that answers with these pieces."""

    async def say(received: Received, peer: Peer) -> None:
        await peer.stream(*(text(piece) for piece in pieces), text("", "stop"), DONE)
        await peer.end()

    async with serve(say) as standin:
        file = folder / "config.toml"
        provider = f'api = "openai-completions"\nbase_url = "{standin.url}/v1"\nmodel = "m"\n'
        file.write_text(f'provider = "mine"\n[providers.mine]\n{provider}')
        file.chmod(0o600)
        yield file


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(command, [*arguments], input=stdin, catch_exceptions=True)


async def completed(folder: Path, place: str, *pieces: str, stdin: str = "") -> Result:
    async with settings(folder, *pieces) as file:
        return await asyncio.to_thread(run, place, "--config", str(file), "--language", "python", stdin=stdin)


async def test_the_lines_read_on_for_later_are_not_printed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)

    result = await completed(tmp_path, f"{tmp_path}/a.py:6", "return ", "open()\n", "def next", "(x", "):\n")

    assert result.stdout == "return open()\n"


async def test_a_warning_about_the_books_follows_the_whole_line(home: Path) -> None:
    (home / "data").write_text("no folder")

    result = await completed(home, "-:2", "open()\n", stdin="x = 1\ny = \nz = 3\n")

    assert result.output.startswith("open()\nwarning: usage is not saved")


async def test_standard_input_takes_a_place_too(tmp_path: Path) -> None:
    result = await completed(tmp_path, "-:2", "1\n", stdin="x = 1\ny = \nz = 3\n")

    assert result.stdout == "1\n"


async def test_who_lets_a_command_wait_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_lsp.cli.commands.complete.SILENT_S", 0.0)

    result = await completed(tmp_path, "-:2", "1\n", stdin="x = 1\ny = \nz = 3\n")

    assert (result.stdout, result.stderr) == ("1\n", "waiting for m of mine\n")


async def test_the_wait_for_the_model_itself_is_not_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    found = CompletionEngine.ready

    async def ready(engine: CompletionEngine, document: Document) -> None:
        await found(engine, document)
        await settle()
        steps.append("ready")

    monkeypatch.setattr("llm_lsp.cli.commands.complete.SILENT_S", 0.0)
    monkeypatch.setattr(CompletionEngine, "ready", ready)
    monkeypatch.setattr(ConsoleClient, "say_whom", lambda _, seconds=0: steps.append("said"))
    await completed(tmp_path, "-:2", "1\n", stdin="x = 1\ny = \nz = 3\n")

    assert steps == ["said", "ready"]


async def test_a_long_wait_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SILENT_S", "SILENT_AGAIN_S"):
        monkeypatch.setattr(f"llm_lsp.cli.commands.complete.{name}", 0.001)
    found, say_whom, told = CompletionEngine.ready, ConsoleClient.say_whom, asyncio.Event()
    waited: list[float] = []

    def say(client: ConsoleClient, seconds: float = 0) -> None:
        waited.append(seconds)
        say_whom(client, 60 * len(waited[1:]))
        if len(waited) == 3:
            told.set()

    async def ready(engine: CompletionEngine, document: Document) -> None:
        await found(engine, document)
        await told.wait()

    monkeypatch.setattr(ConsoleClient, "say_whom", say)
    monkeypatch.setattr(CompletionEngine, "ready", ready)
    result = await completed(tmp_path, "-:2", "1\n", stdin="x = 1\ny = \nz = 3\n")

    assert result.stderr.splitlines()[:3] == [
        "waiting for m of mine",
        "waiting for m of mine, 60 s",
        "waiting for m of mine, 120 s",
    ]
    assert 0 == waited[0] < waited[1] < waited[2]


async def test_a_quick_answer_comes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_lsp.cli.commands.complete.SILENT_S", 20.0)

    result = await completed(tmp_path, "-:2", "1\n", stdin="x = 1\ny = \nz = 3\n")

    assert result.output == "1\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("nowhere.py",), "cannot read nowhere.py", id="no such file"),
        pytest.param(("a.py:x",), "FILE:LINE:COLUMN", id="no place"),
        pytest.param(("a.py:99",), "line 99", id="past the end"),
        pytest.param(("a.py:1:99",), "column 99", id="past the line"),
        pytest.param(("a.py", "--provider", "locl"), 'did you mean "local"', id="a mistyped provider"),
        pytest.param(("a.py", "--config", "nowhere.toml"), "does not exist", id="no settings"),
        pytest.param(("binary.py",), "looks binary", id="a binary file"),
        pytest.param((".env",), "excluded", id="a secret file"),
    ],
)
def test_what_cannot_be_completed_is_said_in_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "a.py").write_text("x = \n")
    (tmp_path / ".env").write_text("KEY=\n")
    (tmp_path / "binary.py").write_bytes(bytes(range(256)))

    result = run(*arguments)

    assert result.exit_code != 0
    assert message in (result.output or "") + str(result.exception)


@pytest.mark.parametrize(
    ("data", "line", "warns"),
    [
        pytest.param("# 价格\n".encode("gbk"), "# \ufffd\u06f8\ufffd", True, id="GBK"),
        pytest.param("# 价格\n".encode("utf-16"), "# 价格", False, id="marked as UTF-16"),
        pytest.param("# 价格\n".encode("utf-8-sig"), "# 价格", False, id="marked as UTF-8"),
    ],
)
def test_a_file_is_read_as_it_is_marked_and_else_a_warning_is_given(
    data: bytes, line: str, warns: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_bytes(data)

    target = read_target(f"{tmp_path}/a.py", "")

    assert target.document.text.line(0) == line
    assert ("a.py is not UTF-8" in capsys.readouterr().err) == warns


async def test_json_says_what_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = \n")
    async with settings(tmp_path, "1\n") as file:
        result = await asyncio.to_thread(run, f"{tmp_path}/a.py:1", "--config", str(file), "--json")

    assert json.loads(result.stdout) == {"text": "1", "start": [1, 5], "end": [1, 5]}


async def test_a_batch_gives_a_line_for_each_place(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = \n")
    places = [
        {"place": f"{tmp_path}/a.py:1"},
        {"text": "y = ", "language": "python"},
        {"place": f"{tmp_path}/.env"},
    ]
    (tmp_path / ".env").write_text("KEY=")
    (tmp_path / "batch.jsonl").write_text("\n".join(map(json.dumps, places)))
    async with settings(tmp_path, "1\n") as file:
        result = await asyncio.to_thread(run, "--batch", f"{tmp_path}/batch.jsonl", "--config", str(file))

    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer.get("text") or answer["skip"] for answer in answers] == ["1", "1", "excluded"]
    assert result.exit_code == 1


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"text": "x", "line": "y"}'])
def test_a_bad_line_of_a_batch_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "batch.jsonl").write_text(f"\n{line}\n")

    result = run("--batch", f"{tmp_path}/batch.jsonl")

    assert "batch.jsonl:2" in result.output
    assert result.exit_code == 1


def test_what_turned_out_otherwise_is_printed_anew(capsys: pytest.CaptureFixture[str]) -> None:
    printer = CompletionPrinter(as_json=False)
    printer.show("foo(bar")
    printer.finish(Completion("1", 1, Point(0, 0), Point(0, 0), "baz"))

    assert capsys.readouterr().out == "foo(bar\nbaz\n"


def test_without_a_column_the_end_of_the_line_is_meant() -> None:
    document = Text.of("ab\ncd\n")

    assert point_of(document, 1, None) == Point(0, 2)
    assert point_of(document, None, None) == Point(2, 0)
