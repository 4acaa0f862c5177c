"""A terminal obeys nothing that others wrote: names of files, settings of a cloned folder, texts that are sent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import llm_lsp.cli
from llm_lsp.cli.main import group
from llm_lsp.cli.show_prompt import print_plain
from llm_lsp.cli.terminal.checklist import Check, print_checks
from llm_lsp.cli.terminal.console import ConsoleClient
from llm_lsp.core.context.ranking import ContextSelection
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.engine.client.interface import Progress
from llm_lsp.engine.completion.job import PreparedPrompt
from tests.core.text.hidden_chars import HIDDEN

# Sets the clipboard, moves the cursor, turns the text's direction.
ORDERS = "\x1b]52;c;cm0=\x07\x9b2J\u202e"
# What TOML allows in a string or a comment.
IN_TOML = "\x9b2J\u202e"


def is_inert(text: str) -> bool:
    return not any(order in text for order in ("\x1b]", "\x9b", "\x07", "\u202e"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "cloned"
    folder.mkdir()
    (folder / ".llm-lsp.toml").write_text(
        f'# {IN_TOML}\nprovider = "{IN_TOML}"\n"{IN_TOML}" = 1\n[privacy]\nexclude = ["{IN_TOML}"]\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ["config", "show"],
        ["doctor", "--offline"],
        ["trust", "."],
        ["complete", f"{ORDERS}:1"],
        ["complete", "a.py:1", "--provider", ORDERS],
        ["ask", "why", "--provider", ORDERS],
        ["provider", "test", ORDERS],
        ["model", "remove", ORDERS],
        ["editor", ORDERS],
    ],
    ids=lambda command: " ".join(command[:2]).replace(ORDERS, "…"),
)
def test_a_command_escapes_what_others_named(command: list[str], folder: Path) -> None:
    result = CliRunner().invoke(group, command)

    assert is_inert(result.output)
    assert result.output


def test_a_folders_name_is_escaped_where_it_is_trusted(folder: Path) -> None:
    cloned = folder / ORDERS
    cloned.mkdir()
    (cloned / ".llm-lsp.toml").write_text("enabled = true\n")

    for arguments in ([ORDERS], [], [ORDERS, "--revoke"], [ORDERS, "--revoke"]):
        result = CliRunner().invoke(group, ["trust", *arguments])
        assert ".llm-lsp.toml" in result.output
        assert is_inert(result.output)


def test_messages_progress_and_checks_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    client = ConsoleClient()
    client.show("error", ORDERS)
    client.progress(Progress("t", ORDERS, ORDERS))
    print_checks([Check("name", "note", ORDERS)])

    shown = capsys.readouterr()

    assert is_inert(shown.out + shown.err)
    assert (shown.out + shown.err).count("52;c;cm0=") == 3


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_prompt_is_escaped_for_a_terminal_and_whole_for_a_file(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    print_plain(PreparedPrompt(RawPrompt(ORDERS), Profile("p", "m", "none"), ContextSelection()))

    assert is_inert(capsys.readouterr().out) is is_terminal


def test_the_orders_of_these_tests_are_hidden_characters() -> None:
    assert {"\x1b", "\x07", "\x9b", "\u202e"} <= {*HIDDEN}


@pytest.mark.parametrize(
    "arguments", [("provider", "list"), ("provider", "list", "--json"), ("config", "schema"), ("--help",)]
)
def test_a_reader_that_has_enough_ends_a_command_quietly(arguments: tuple[str, ...], tmp_path: Path) -> None:
    # A pipe that is closed at once, as `head` closes it.
    program = subprocess.Popen(
        [sys.executable, "-P", "-m", "llm_lsp", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert program.stdout and program.stderr
    program.stdout.close()

    assert program.stderr.read() == b""
    program.wait()
    program.stderr.close()


def test_commands_print_by_the_functions_that_escape_names() -> None:
    """So that no command can forget it; the server's own line has no name in it, nor has the help."""
    package = Path(llm_lsp.cli.__file__).parent
    plain = re.compile(r"\bclick\.s?echo\(|(?<![\w.])print\(")
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if plain.search(path.read_text("utf-8"))
    }

    assert found == {"main.py", "commands/server.py", "terminal/console.py", "terminal/streams.py"}
