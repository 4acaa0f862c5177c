"""A server with a probe, a model API on loopback, and its own home folder."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.probed import Look, looks
from benchmarks.vitals import Vitals
from tests.lspclient import LspClient, Message, running

INLINE = "textDocument/inlineCompletion"
INVOKED = 1  # InlineCompletionTriggerKind of LSP 3.18
# Seconds in which what was cancelled has to be gone: it lingers for 0.4 s, and its connection is then closed.
SETTLE_S = 2.0
MEBIBYTE = 1 << 20
PROBE = "probe.txt"


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured, and what it may be at most."""

    name: str
    value: float
    most: float | None = None

    @property
    def holds(self) -> bool:
        return self.most is None or self.value <= self.most

    def __str__(self) -> str:
        bound = "" if self.most is None else f"  (at most {self.most:g})"
        return f"{self.name}: {self.value:g}{bound}{'' if self.holds else '  TOO MUCH'}"


@dataclass(frozen=True, slots=True)
class Rig:
    """A running server, looked at from outside and by its probe."""

    client: LspClient
    home: Path

    def vitals(self) -> Vitals:
        return Vitals.of(self.client.process.pid)

    def looks(self) -> list[Look]:
        """Return everything that the probe saw."""
        return looks(self.home / PROBE)

    async def tasks_after(self, seconds: float = SETTLE_S) -> int:
        """Return the fewest tasks that the probe sees within a while."""
        seen = len(self.looks())
        await asyncio.sleep(seconds)
        return min(look.tasks for look in self.looks()[seen:])

    async def complete(self, uri: str, line: int, character: int) -> str:
        """Ask by hand, and give the text that came."""
        answer = await self.client.ask(INLINE, invoked(uri, line, character))
        items = (answer.get("result") or {}).get("items") or []
        return str(items[0]["insertText"]) if items else ""


@contextmanager
def a_home() -> Iterator[Path]:
    """Yield a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder).resolve()


@asynccontextmanager
async def rig(settings: str = "", home: Path | None = None, *, is_probed: bool = True) -> AsyncIterator[Rig]:
    """Run a server until the block ends, with its user's settings unless there are some."""
    with a_home() as fresh:
        at = home or fresh
        if settings:
            config = at / "llm-lsp" / "config.toml"
            config.parent.mkdir(exist_ok=True)
            config.write_text(settings)
        command = (sys.executable, "-m", "benchmarks.probed", str(at / PROBE)) if is_probed else ()
        async with running(at, *command) as client:
            await client.initialize({"textDocument": {"inlineCompletion": {}}})
            yield Rig(client, at)


def settings_of(url: str, **completion: int) -> str:
    """Return a settings file that names a model API on loopback, which is treated as a remote one."""
    pace = "".join(f"{name} = {value}\n" for name, value in completion.items())
    return f"""\
provider = "simulated"
[providers.simulated]
api = "openai-completions"
base_url = "{url}/v1"
model = "m"
fim = "none"
local = false
[completion]
calls_per_minute = 6000
{pace}"""


def invoked(uri: str, line: int, character: int) -> Message:
    """Return the params of a manual request."""
    where = {"line": line, "character": character}
    return {"textDocument": {"uri": uri}, "position": where, "context": {"triggerKind": INVOKED}}


def insert(client: LspClient, uri: str, version: int, line: int, text: str) -> None:
    """Insert at a line's start."""
    place = {"line": line, "character": 0}
    change = {"range": {"start": place, "end": place}, "text": text}
    document = {"uri": uri, "version": version}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})


def calls_in_books(home: Path) -> int:
    """Return how many calls a home's usage store has; raises if its file is corrupt."""
    path = home / "llm-lsp" / "usage.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the books are corrupt"
        (count,) = connection.execute("SELECT count(*) FROM calls").fetchone()
    return int(count)


def percentile(values: list[float], share: float) -> float:
    """Return the quantile at a share."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
