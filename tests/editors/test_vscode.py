"""Our extension in the real VS Code, with scripted answers: what is drawn, and what each key does."""

from __future__ import annotations

import json
import os
import stat
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.editors.neovim import wait_for
from tests.editors.script import FAKE, INLINE, item
from tests.editors.vscode import STATUS, Window, install, is_installed, window

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_editor,
    pytest.mark.skipif(
        not is_installed(),
        reason="`.ci/code-server`, LLM_LSP_TEST_CODE_SERVER and `npm run package` are needed",
    ),
]

# What the extension asks the program for, besides to be a server.
PROGRAM = """#!/bin/sh
case "$1 $2" in
  "provider list") cat {folder}/providers.json ;;
  "provider add") echo "$@" >> {folder}/added; cat >> {folder}/added ;;
  *) exec {python} {fake} {folder}/script.json {folder}/record.jsonl ;;
esac
"""
PROVIDERS = [
    {
        "name": "mine",
        "state": "in use",
        "api": "",
        "address": "http://127.0.0.1:1/v1",
        "model": "m",
        "key": "",
    },
    {
        "name": "codestral",
        "state": "",
        "api": "",
        "address": "https://c.example",
        "model": "codestral",
        "key": "",
    },
]
STATUS_SENT = {
    "kind": "Normal",
    "busy": False,
    "provider": "mine",
    "model": "coder-7b",
    "spentToday": "0.12 USD",
}
# Any of those that show suggestions too; Copilot itself is switched off with VS Code's own chat.
RIVAL = {
    "name": "continue",
    "publisher": "continue",
    "version": "1.0.0",
    "engines": {"vscode": "^1.91.0"},
    "contributes": {
        "configuration": {
            "properties": {"continue.enableTabAutocomplete": {"type": "boolean", "default": True}}
        }
    },
}


@dataclass(frozen=True, slots=True)
class Scene:
    """VS Code and the scripted server that its extension runs."""

    window: Window
    folder: Path

    def answer(self, **script: object) -> None:
        """Set the server's answers, by the text before the cursor."""
        # Whole at once: the server may be reading it.
        (new := self.folder / "script.new").write_text(json.dumps({"status": STATUS_SENT, **script}), "utf-8")
        new.replace(self.folder / "script.json")

    def asked(self) -> list[Any]:
        """Return the parameters of each request."""
        record = (self.folder / "record.jsonl").read_text("utf-8").splitlines()
        return [message["params"] for line in record if (message := json.loads(line)).get("method") == INLINE]

    def see(self, name: str, typed: str, ghost: str) -> None:
        """Open an empty file, type, and wait for what is drawn."""
        self.window.open(name, "")
        self.window.type(typed)
        assert wait_for(lambda: self.window.ghost() == ghost), (self.window.ghost(), self.asked()[-1:])


def make_package(path: Path, manifest: dict[str, Any]) -> Path:
    """Pack an extension that does nothing."""
    identity = f'Id="{manifest["name"]}" Version="{manifest["version"]}" Publisher="{manifest["publisher"]}"'
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("extension/package.json", json.dumps(manifest))
        package.writestr(
            "extension.vsixmanifest",
            '<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">'
            f'<Metadata><Identity Language="en-US" {identity}/></Metadata>'
            '<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>'
            '<Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json"/></Assets>'
            "</PackageManifest>",
        )
    return path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("vscode")
    program = folder / "llm-lsp"
    program.write_text(PROGRAM.format(folder=folder, python=sys.executable, fake=FAKE))
    program.chmod(stat.S_IRWXU)
    (folder / "providers.json").write_text(json.dumps(PROVIDERS))
    (folder / "record.jsonl").touch()
    settings = {"security.workspace.trust.enabled": False}
    (folder / "home").mkdir()
    install(folder / "home", make_package(folder / "rival.vsix", RIVAL))
    with window(folder / "home", program, settings) as shown:
        scene = Scene(shown, folder)
        scene.answer()
        yield scene


def test_another_inline_provider_is_seen_and_one_is_left(scene: Scene) -> None:
    scene.window.run("Notifications: Show Notifications")
    button = '.notifications-center .monaco-button:has-text("Only llm-lsp")'
    assert wait_for(lambda: scene.window.read(button)), "nothing was offered"
    scene.window.picture("offer")
    scene.window.call("click", button)
    settings = scene.folder / "home" / "data" / "User" / "settings.json"
    assert wait_for(lambda: json.loads(settings.read_text()).get("continue.enableTabAutocomplete") is False)


@pytest.mark.parametrize(
    ("key", "left"),
    [
        pytest.param("Tab", "x = one(two)\n  three", id="whole"),
        pytest.param("Control+ArrowRight", "x = one", id="a word"),
        pytest.param("Control+Alt+ArrowRight", "x = one(two)\n", id="a line"),
        pytest.param("Escape", "x = ", id="dismissed"),
    ],
)
def test_a_key_takes_what_it_should(scene: Scene, key: str, left: str) -> None:
    name = f"{key.replace('+', '-')}.txt"
    scene.answer(**{"x = ": {"items": [item("one(two)\n  three")]}})
    scene.see(name, "x = ", "one(two)\n  three")
    scene.answer()
    scene.window.picture(f"ghost-{key}")
    scene.window.press(key)
    scene.window.expect_text(name, left)
    if key in ("Tab", "Escape"):
        assert wait_for(lambda: scene.window.ghost() == "")


def test_the_server_hears_what_was_accepted(scene: Scene) -> None:
    scene.answer(**{"y =": {"items": [item(" 1", command="id-7")]}})
    scene.see("heard.txt", "y =", " 1")
    scene.window.press("Tab")
    assert wait_for(lambda: '"arguments": ["id-7"]' in (scene.folder / "record.jsonl").read_text())


def test_one_can_look_through_alternatives(scene: Scene) -> None:
    both = {"items": [item(" first"), item(" second")]}
    scene.answer(**{"z =": {"items": [item(" first")]}, "z =?": both})
    scene.see("cycle.txt", "z =", " first")
    scene.window.press("Alt+]")
    assert wait_for(lambda: scene.window.ghost() == " second")
    scene.window.press("Alt+[")
    assert wait_for(lambda: scene.window.ghost() == " first")


def test_asking_by_hand_is_told_as_such(scene: Scene) -> None:
    scene.answer(**{"w =?": {"items": [item(" by hand")]}})
    scene.see("hand.txt", "w =", "")
    scene.window.press("Alt+\\")
    assert wait_for(lambda: scene.window.ghost() == " by hand")
    assert scene.asked()[-1]["context"]["triggerKind"] == 1


def test_ghost_text_agrees_with_the_popup_that_is_open(scene: Scene) -> None:
    scene.answer(**{"alp": {"items": [item("alphabet_soup.stir()", (0, 3))]}})
    scene.window.open("popup.txt", "alphabet_soup\n")
    scene.window.type("alp")
    # By hand: it does not open by itself where ghost text is already there.
    scene.window.press("Control+Space")
    assert wait_for(lambda: scene.window.read(".suggest-widget.visible .monaco-list-row")), "no popup"
    assert wait_for(lambda: scene.window.ghost().endswith(".stir()")), scene.window.ghost()
    scene.window.picture("popup")
    selected = scene.asked()[-1]["context"]["selectedCompletionInfo"]
    assert selected["text"] == "alphabet_soup"
    scene.window.press("Escape", "Escape")


def test_the_status_bar_shows_model_and_money_and_its_menu_the_rest(scene: Scene) -> None:
    assert wait_for(lambda: "coder-7b · 0.12 USD" in scene.window.status()), scene.window.status()
    scene.window.call("click", STATUS)
    wanted = [
        "Snooze",
        "Switch completion off",
        "Switch provider",
        "Add a provider",
        "Explain",
        "Show the log",
    ]
    assert wait_for(lambda: all(any(each in row for row in scene.window.rows()) for each in wanted))
    scene.window.picture("menu")
    scene.window.press("Escape")


def test_a_key_goes_to_the_programs_input_and_into_no_argument(scene: Scene) -> None:
    scene.window.run("llm-lsp: Add a Provider…")
    assert wait_for(lambda: any("codestral" in row for row in scene.window.rows())), scene.window.rows()
    scene.window.picture("add")
    scene.window.press("Enter")
    key_box = ".quick-input-widget input[type=password]"
    assert wait_for(lambda: scene.window.call("attribute", key_box, "type"))
    scene.window.type("not-a-real-key")
    scene.window.press("Enter")
    added = scene.folder / "added"
    wanted = "provider add --use -- codestral\nnot-a-real-key\n"
    assert wait_for(lambda: added.exists() and added.read_text() == wanted), added.read_text()


def test_the_server_runs_in_no_folder_of_a_workspace(scene: Scene) -> None:
    # It is started anew after a provider was added.
    pids = wait_for(
        lambda: [pid for pid in os.listdir("/proc") if pid.isdigit() and is_ours(pid, scene.folder)]
    )
    assert pids
    assert {os.readlink(f"/proc/{pid}/cwd") for pid in pids} == {str(scene.folder / "home")}


def is_ours(pid: str, folder: Path) -> bool:
    """Whether a process is this test's scripted server."""
    try:
        return f"{FAKE}\0{folder}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False  # It has ended meanwhile.
