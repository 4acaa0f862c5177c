"""Runs VS Code with our extension in a headless browser, and reads what it shows.

`.ci/code-server FOLDER` installs what it needs, and LLM_LSP_TEST_CODE_SERVER names the folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.editors.neovim import wait_for

INSTALLED = Path(os.environ.get("LLM_LSP_TEST_CODE_SERVER", "/nonexistent"))
PACKAGE = Path(__file__).parents[2] / "editor-configs" / "vscode" / "llm-lsp.vsix"
PICTURES = Path(os.environ.get("LLM_LSP_TEST_PICTURES", "build/pictures"))
DRIVER = Path(__file__).with_name("vscode_driver.mjs")
PROGRAM = Path(sys.executable).with_name("llm-lsp")

GHOST = ".ghost-text-decoration, .ghost-text-decoration-preview"
"""What is drawn of it in the cursor's line."""
GHOST_BELOW = ".suggest-preview-text"
"""What is drawn of it in the lines that it needs below."""
STATUS = "#llm-lsp\\.llm-lsp\\.llm-lsp\\.status"

# What would move on the pictures, or call home.
QUIET: Mapping[str, object] = {
    "telemetry.telemetryLevel": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.hover.delay": 100_000,
    "update.mode": "none",
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "editor.minimap.enabled": False,
    "editor.cursorBlinking": "solid",
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 100,
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
}


def is_installed() -> bool:
    """Whether there is a code-server to test in, and a package of ours to test."""
    return (INSTALLED / "ready").exists() and PACKAGE.exists()


@dataclass(frozen=True, slots=True)
class Window:
    """One window of VS Code."""

    driver: subprocess.Popen[str]
    folder: Path
    """The folder that is open."""

    def call(self, name: str, *arguments: object) -> Any:
        """Call a function of the driver."""
        assert self.driver.stdin and self.driver.stdout
        self.driver.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.driver.stdin.flush()
        answer = json.loads(self.driver.stdout.readline() or '{"error": "the driver is gone"}')
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def press(self, *keys: str) -> None:
        """Press keys one after the other, named as Playwright names them."""
        for key in keys:
            self.call("press", key)

    def type(self, text: str) -> None:
        """Type text at a hand's pace."""
        self.call("type", text, 60)

    def read(self, selector: str) -> list[str]:
        """Return the text of each element."""
        return [str(text) for text in self.call("read", selector)]

    def frames(self) -> str:
        """Return the text of all frames, in which rendered pages are."""
        return "\n".join(str(text) for text in self.call("readFrames"))

    def ghost(self) -> str:
        """Return the visible ghost text, including lines below the first."""
        # In the cursor's line there is a piece for each colour.
        return "\n".join(["".join(self.read(GHOST)), *self.read(GHOST_BELOW)])

    def status(self) -> str:
        """Return the status item's text."""
        return " ".join(self.read(STATUS)).strip()

    def is_ready(self) -> bool:
        """Whether the server runs; before that nothing asks it, and nothing asks again."""
        label = self.call("attribute", STATUS, "aria-label")
        return bool(label) and "starting" not in label[0]

    def picture(self, name: str) -> None:
        """Keep what is on the screen."""
        self.call("picture", str(PICTURES / f"{name}.png"))

    def run(self, command: str) -> None:
        """Run a command by its title, as in the palette."""
        self.press("F1")
        assert wait_for(lambda: self.read(".quick-input-widget input")), "no palette"
        # No key has an ellipsis: it would arrive late, in the box that the command opens.
        self.type(command.rstrip("…"))
        # On top, where Enter takes it: the list first shows what was run lately.
        assert wait_for(lambda: command in "".join(self.rows()[:1])), f"no command {command}"
        self.press("Enter")

    def rows(self) -> list[str]:
        """Return the entries of the open list."""
        return self.read(".quick-input-list .monaco-list-row")

    def open(self, name: str, text: str) -> None:
        """Write a file, open it, and put the cursor at its end."""
        (self.folder / name).write_text(text, encoding="utf-8")
        row = f'.explorer-folders-view .monaco-list-row[aria-label^="{name}"]'
        assert wait_for(lambda: self.read(row)), f"{name} is not listed"
        self.call("doubleClick", row)
        assert wait_for(lambda: name in self.read(".tab.active")), f"{name} did not open"
        # Its tab is there before it takes keys.
        focused = ".editor-instance .monaco-editor.focused"
        assert wait_for(lambda: self.call("attribute", focused, "class")), f"{name} takes no keys"
        self.press("Control+End")

    def expect_text(self, name: str, text: str) -> None:
        """Wait until a file is saved with this text."""
        file = self.folder / name
        assert wait_for(lambda: file.read_text("utf-8") == text), file.read_text("utf-8")


@contextmanager
def window(home: Path, program: Path, settings: Mapping[str, object]) -> Iterator[Window]:
    """Run VS Code with our extension, which runs `program`; `home` is its user's."""
    write_settings(home, "User", {**QUIET, **settings})
    # What only a machine may set is read from here where, as in code-server, the window is elsewhere.
    write_settings(home, "Machine", {"llm-lsp.server.path": str(program)})
    install(home, PACKAGE)
    with opened(home, environment(home)) as shown:
        yield shown


@contextmanager
def opened(home: Path, variables: Mapping[str, str]) -> Iterator[Window]:
    """Run VS Code as it is installed and as these variables make it, until our server runs in it."""
    (work := home / "work").mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with code_server(home, variables) as url, browser(home) as driver:
        shown = Window(driver, work)
        assert driver.stdout and driver.stdout.readline(), "no browser"
        shown.call("open", f"{url}/?folder={work}")
        assert wait_for(lambda: shown.read(".monaco-workbench"), 90), "no workbench"
        assert wait_for(shown.is_ready), "the server does not run"
        yield shown


def write_settings(home: Path, whose: str, settings: Mapping[str, object]) -> None:
    """Write the settings of a user, or of the machine."""
    (folder := home / "data" / whose).mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")


def install(home: Path, package: Path) -> None:
    """Install an extension."""
    done = subprocess.run(
        [*code_server_command(home), "--install-extension", package],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def code_server_command(home: Path) -> list[str]:
    """Return the command of code-server, which writes only below `home`."""
    entry = INSTALLED / "installed" / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    folders = ["--user-data-dir", f"{home}/data", "--extensions-dir", f"{home}/extensions"]
    return [f"{INSTALLED}/bin/node", str(entry), "--config", f"{home}/code-server.yaml", *folders]


def environment(home: Path) -> dict[str, str]:
    """Return the environment of this user's programs: of the real user's, only the PATH."""
    path = os.pathsep.join([f"{INSTALLED}/bin", "/usr/bin", "/bin"])
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **folders}


@contextmanager
def code_server(home: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Run code-server, and give its address."""
    quiet = ["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"]
    command = [*code_server_command(home), "--bind-addr", "127.0.0.1:0", "--auth", "none", *quiet]
    with (
        (home / "code-server.log").open("w+") as log,
        subprocess.Popen(
            command, env=dict(variables), stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            address = r"listening on (http://127\.0\.0\.1:\d+)"
            found = wait_for(lambda: re.search(address, Path(log.name).read_text()))
            assert found, Path(log.name).read_text()
            yield found[1]
        finally:
            os.killpg(process.pid, 15)


@contextmanager
def browser(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the driver, which runs the browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "no chromium"
    modules = INSTALLED / "installed" / "node_modules"
    command = [f"{INSTALLED}/bin/node", str(DRIVER), str(modules), chromium, f"{home}/profile"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(home)) as process:
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()  # It ends the browser, and then itself.
            process.wait(20)
