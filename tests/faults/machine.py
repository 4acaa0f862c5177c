"""A user's machine on which something is wrong: a home, a model API on loopback, and the server as an editor starts it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.faults.canary import found_in
from tests.faults.upstream import ANSWER, BUFFER, KEY, says
from tests.lspclient import COMMAND, LspClient, running
from tests.patience import PATIENCE_S
from tests.providers.standin import Script, StandIn, serve

URI = "file:///p/a.py"
INLINE = "textDocument/inlineCompletion"
BY_HAND = 1  # InlineCompletionTriggerKind.Invoked of LSP 3.18
DEBUG = (*COMMAND, "--log-level", "debug")


@dataclass
class Machine:
    """One user's folders, and the API that their settings name."""

    home: Path
    api: StandIn

    @property
    def settings(self) -> Path:
        """The user's own file."""
        return self.home / "llm-lsp" / "config.toml"

    @property
    def books(self) -> Path:
        return self.home / "llm-lsp" / "usage.db"

    @property
    def calls(self) -> int:
        """Calls that were made; what only opens a connection is none."""
        return sum(received.method == "POST" for received in self.api.received)

    def configure(self, more: str = "") -> None:
        """Write the user's own file: the API, its key, and more."""
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(
            f'provider = "api"\n[providers.api]\napi = "openai-completions"\nbase_url = "{self.api.url}/v1"\n'
            f'model = "m"\nfim = "none"\nlocal = false\napi_key_env = "CANARY_KEY"\n'
            f"timeout_s = {PATIENCE_S}\n{more}\n"
        )

    @asynccontextmanager
    async def server(self, *command: str) -> AsyncIterator[LspClient]:
        """Run a server that logs all it can; then see that it ended well and said nothing private."""
        async with running(self.home, *(command or DEBUG)) as client:
            await client.initialize()
            client.open(URI, BUFFER)
            yield client
            said = _command_lines()
            if client.process.returncode is None:
                await client.ask("shutdown", None)
                client.notify("exit", None)
                assert await client.ended() == 0
            said += await client.errors() + repr(client.notifications)
        assert found_in(said) == []

    def saved_calls(self) -> int:
        """Count the calls in the books."""
        with closing(sqlite3.connect(self.books)) as books:
            (count,) = books.execute("SELECT count(*) FROM calls").fetchone()
            return int(count)


def _command_lines() -> str:
    """Return the command lines of all that this test has started."""
    lines = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # It has ended.
            lines.append(" ".join(process.cmdline()))
    return "\n".join(lines)


async def ask(client: LspClient, uri: str = URI, character: int = len(BUFFER)) -> str:
    """Ask by hand at the end of the first line; give what is shown."""
    where = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": character}}
    answer = await client.ask(INLINE, {**where, "context": {"triggerKind": BY_HAND}})
    items = answer["result"]["items"]
    return str(items[0]["insertText"]) if items else ""


async def ask_in(client: LspClient, uri: str, text: str = BUFFER) -> str:
    """Open a document of one line, and ask at its end."""
    client.open(uri, text)
    return await ask(client, uri, len(text))


def messages(client: LspClient) -> list[str]:
    """Return the messages that were shown."""
    shown = [each for each in client.notifications if each["method"] == "window/showMessage"]
    return [each["params"]["message"] for each in shown]


@asynccontextmanager
async def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script | None = None
) -> AsyncIterator[Machine]:
    """Yield a machine whose API answers with ANSWER, or as `script` says."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("CANARY_KEY", KEY)
    async with serve(script or says(ANSWER)) as api:
        made = Machine(home, api)
        made.configure()
        yield made


def limited(limit: str, *command: str) -> tuple[str, ...]:
    """Start a command under a limit of the shell's `ulimit`.

    It writes no bytecode: Python 3.11 does not see that a limit cut such a file, and could never load it again.
    """
    return "sh", "-c", f'ulimit {limit} && exec env PYTHONDONTWRITEBYTECODE=1 "$@"', "sh", *(command or DEBUG)


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of all files below a folder."""
    files = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return {str(file.relative_to(folder)): file.stat().st_mode & 0o777 for file in files}
