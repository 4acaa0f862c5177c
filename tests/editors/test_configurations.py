"""Each configuration to copy: its settings are settings of ours, and its command is one of ours."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import click
import pytest

from llm_lsp.cli.main import group
from llm_lsp.cli.placement import configurations
from llm_lsp.config.parse import parse
from tests.editors.neovim import BUNDLED

FOLDER = configurations()
Found = tuple[Mapping[str, Any], list[str]]
"""The settings in a configuration, and the command that it runs."""


def read(path: str) -> str:
    return (FOLDER / path).read_text("utf-8")


def read_json(path: str) -> Any:
    """Read JSON that may have whole lines of comment."""
    return json.loads(re.sub(r"^\s*//.*$", "", read(path), flags=re.MULTILINE))


def helix() -> Found:
    server = tomllib.loads(read("helix/languages.toml"))["language-server"]["llm-lsp"]
    return server["config"], [server["command"], *server["args"]]


def vscode() -> Found:
    settings = read_json("vscode/settings.json")
    command = [settings["glspc.server.command"], *settings["glspc.server.commandArguments"]]
    return settings["glspc.server.initializationOptions"], command


def sublime_text() -> Found:
    client = read_json("sublime-text/LSP.sublime-settings")["clients"]["llm-lsp"]
    return client["initializationOptions"], client["command"]


def kate() -> Found:
    server = read_json("kate/settings.json")["servers"]["python"]
    return server["initializationOptions"], server["command"]


def jetbrains() -> Found:
    template = read_json("jetbrains/llm-lsp/template.json")
    return read_json("jetbrains/llm-lsp/initializationOptions.json"), template["programArgs"][
        "default"
    ].split()


def vim() -> Found:
    """Turn Vim's literals into JSON's: bare keys, and single quotes."""
    source = read("vim/plugin/llm_lsp.vim")
    command, settings = (
        re.search(rf"^const {name} = (.*)$", source, re.MULTILINE) for name in ("COMMAND", "SETTINGS")
    )
    assert command and settings
    keyed = re.sub(r"(\w+):", r"'\1':", settings[1])
    return json.loads(keyed.replace("'", '"')), json.loads(command[1].replace("'", '"'))


def plist(source: str) -> dict[str, Any]:
    """Read a property list of strings and property lists."""
    tokens = re.findall(r'[()]|:[\w-]+|"[^"]*"', source)

    def value() -> Any:
        if (token := tokens.pop(0)) != "(":
            return token.strip('"')
        found = {}
        while tokens[0] != ")":
            key = tokens.pop(0)
            found[key.removeprefix(":")] = value()
        tokens.pop(0)
        return found

    return dict(value())


def emacs() -> Found:
    source = read("emacs/llm-lsp.el")
    command = re.search(r"defcustom llm-lsp-command '\((.*)\)", source)
    settings = re.search(r"defcustom llm-lsp-settings '(.*)$", source, re.MULTILINE)
    assert command and settings
    return plist(settings[1]), re.findall(r'"([^"]*)"', command[1])


def eglot() -> Found:
    source = read("emacs/eglot.el")
    command = re.search(r"\) \. \((.*)\)\)\)", source)
    settings = re.search(r"eglot-workspace-configuration\s+'(.*)\)$", source, re.MULTILINE)
    assert command and settings
    return plist(settings[1])["llm-lsp"], re.findall(r'"([^"]*)"', command[1])


def neovim() -> Found:
    """Ask Neovim itself what it would use."""
    if not BUNDLED.exists():
        pytest.skip("no wheel of Neovim for this system")
    show = "lua local c = vim.lsp.config.llm_lsp; io.stdout:write(vim.json.encode({ c.settings['llm-lsp'], c.cmd }))"
    argv = [
        str(BUNDLED),
        "--clean",
        "--headless",
        "--cmd",
        f"set rtp^={FOLDER / 'neovim'}",
        "-c",
        show,
        "-c",
        "qall!",
    ]
    output = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    settings, command = json.loads(output)
    return settings, command


READERS = [neovim, vim, emacs, eglot, helix, vscode, sublime_text, kate, jetbrains]


def check_command(argv: list[str]) -> None:
    """Fail where our command line would refuse it; nothing is run."""
    assert argv[0] == "llm-lsp"
    command: click.Command = group
    context = click.Context(group)
    arguments = argv[1:]
    while isinstance(command, click.Group):
        name = arguments.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"no command {name}"
        command = found
    command.make_context(argv[-1], arguments, parent=context)


@pytest.mark.parametrize("reader", READERS)
def test_every_setting_is_one_of_ours(reader: Callable[[], Found]) -> None:
    settings, _ = reader()
    assert settings["completion"], "nothing was found to check"
    assert parse(settings, from_editor=True).faults == ()


@pytest.mark.parametrize("reader", READERS)
def test_the_command_is_one_of_ours(reader: Callable[[], Found]) -> None:
    _, command = reader()
    check_command(command)


def test_a_setting_by_another_name_would_be_found() -> None:
    settings, _ = helix()
    renamed = {**settings, "completion": {"menu_time_limit_ms": 150}}
    assert len(parse(renamed, from_editor=True).faults) == 1


def commands_in_prose() -> list[str]:
    """Give every command of ours that a README or a comment names in backquotes."""
    texts = [path.read_text("utf-8") for path in FOLDER.rglob("*") if path.is_file()]
    return sorted({found for text in texts for found in re.findall(r"`(llm-lsp [a-z][^`\n]*)`", text)})


@pytest.mark.parametrize("line", commands_in_prose())
def test_every_command_in_the_prose_is_one_of_ours(line: str) -> None:
    check_command(line.split())


def test_zed_asks_the_address_that_the_command_beside_it_opens() -> None:
    settings = read_json("zed/settings.json")["edit_predictions"]["open_ai_compatible_api"]
    serve = re.search(r"`llm-lsp model serve (\S+) --port (\d+)`", read("zed/settings.json"))
    assert serve
    assert settings["model"] == serve[1]
    assert settings["api_url"] == f"http://127.0.0.1:{serve[2]}/v1/completions"
