"""Hostile model APIs and hostile repositories: how late the server's event loop comes to other things meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak_loads import answer_slowly
from benchmarks.soak_rig import Figure, Rig, a_home, rig, settings_of
from tests.providers.standin import DONE, Peer, Received, Script, serve, sse, text

# Milliseconds. A key that comes meanwhile waits no longer: below what a typist sees.
MOST_LATE_MS = 100
# Bytes of an answer that does not end by itself.
MOST_BYTES = 8 << 20
# Seconds that a case is watched after its last answer: what its folder is good for is prepared while nothing is typed.
AFTER_S = 1.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
URI = "file:///project/hostile.py"


def floods(piece: bytes) -> Script:
    """Answer with the same again and again."""

    async def script(received: Received, peer: Peer) -> None:
        await peer.send(HEAD + b"\r\n")
        for _ in range(MOST_BYTES // len(piece)):
            await peer.send(piece)
        peer.cut_gently()

    return script


def sends(*pieces: bytes) -> Script:
    """Answer with bytes as they are."""

    async def script(received: Received, peer: Peer) -> None:
        await peer.send(*pieces)
        peer.cut_gently()

    return script


def whole(body: bytes) -> bytes:
    return HEAD + b"\r\n" + body


SERVERS: Mapping[str, Script] = {
    "a good one": answer_slowly,
    "one line in small pieces": floods(text("a + ")),
    "one line in large pieces": floods(text("a + " * 50_000)),
    "brackets": floods(text("{[(" * 1000)),
    "escaped quotes": floods(text('"\\' * 1000)),
    "blanks": floods(text(" " * 2000)),
    "line ends": floods(text("\n" * 2000)),
    "beginnings of marks": floods(text("<|fim_" * 300)),
    "empty events": floods(b"data: {}\n\n" * 1000),
    "pings": floods(b":\n\n" * 5000),
    "events of many parts": floods(b"data: [" + b"[]," * 80_000 + b"\n\n"),
    "events that are no JSON": floods(b'data: {"' + b"x" * 250_000 + b"\n\n"),
    "6 MB of lists": sends(whole(b"[" + b"[]," * (2 << 20))),
    "6 MB of objects": sends(whole(b"{" + b'"a":{},' * 900_000)),
    "a line of 8 MB": sends(whole(b"data: " + b"x" * MOST_BYTES)),
    "deep JSON": sends(whole(b"data: " + b"[" * 250_000 + b"\n\n")),
    "escapes": floods(b'data: {"choices":[{"text":"' + b"\\u00e9" * 40_000 + b'"}]}\n\n'),
    "a head of 20,000 lines": sends(HEAD + b"X-A: a\r\n" * 20_000 + b"\r\n"),
    "30,000 interim answers": sends(b"HTTP/1.1 103 Hints\r\n\r\n" * 30_000),
    "an error of 8 MB": sends(b"HTTP/1.1 500 X\r\nConnection: close\r\n\r\n", b"[" + b"[]," * (2 << 20)),
    "usage that cannot be": sends(
        whole(text("1") + sse({"choices": [], "usage": {"completion_tokens": 10**15}}) + DONE)
    ),
}


async def hostile_servers(n_requests: int) -> Sequence[Figure]:
    """Ask each of them, so many times."""
    figures: list[Figure] = []
    for number, (name, script) in enumerate(SERVERS.items()):
        hostile = _Server(script)
        async with serve(hostile.answer) as standin, rig(settings_of(standin.url)) as it:
            await _warm_up(it)
            hostile.is_hostile = True
            files = [
                (f"file:///project/{number}_{count}.py", f"name_{count} = ") for count in range(n_requests)
            ]
            figures += await _watched(it, name, files)
    return figures


@dataclass(slots=True)
class _Server:
    """A model API that becomes hostile."""

    script: Script
    is_hostile: bool = False

    async def answer(self, received: Received, peer: Peer) -> None:
        await (self.script if self.is_hostile and received.method == "POST" else answer_slowly)(
            received, peer
        )


async def hostile_repositories(n_requests: int) -> Sequence[Figure]:
    """Open a folder of each kind, and ask in its files, so many times."""
    figures: list[Figure] = []
    for name, plant in REPOSITORIES.items():
        with a_home() as folder:
            plant(folder)
            files = [
                (path.as_uri(), path.read_text()) for path in sorted(folder.glob("[af]*.py"))[:n_requests]
            ]
            async with serve(answer_slowly) as standin, rig(settings_of(standin.url)) as it:
                await _warm_up(it)
                added = {"added": [{"uri": folder.as_uri(), "name": "cloned"}], "removed": []}
                it.client.notify("workspace/didChangeWorkspaceFolders", {"event": added})
                figures += await _watched(it, name, files)
    return figures


async def _warm_up(it: Rig) -> None:
    """Let everything be imported that a completion and its records need."""
    for count in range(3):
        await _ask(it, f"file:///project/warm_{count}.py", "x = ")
    await asyncio.sleep(AFTER_S)


async def _ask(it: Rig, uri: str, content: str) -> None:
    """Open a document and ask at its end."""
    it.client.open(uri, content)
    await it.complete(uri, content.count("\n"), len(content.rpartition("\n")[2]))


async def _watched(it: Rig, name: str, files: Sequence[tuple[str, str]]) -> Sequence[Figure]:
    """Ask in documents, and look how late the loop was meanwhile and a moment after."""
    seen, began = len(it.looks()), time.monotonic()
    for uri, content in files:
        await _ask(it, uri, content)
    took_s = time.monotonic() - began
    await asyncio.sleep(AFTER_S)
    looks = it.looks()[seen:]
    return [
        Figure(
            f"{name}: late by own work, ms, longest", max(look.own_late_ms for look in looks), MOST_LATE_MS
        ),
        Figure(f"{name}: late, ms, longest", max(look.late_ms for look in looks)),
        Figure(f"{name}: all answered after, s", round(took_s, 2)),
    ]


def _write(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _sources(folder: Path, content: str = "x = 1\n") -> None:
    for number in range(5):
        _write(folder, f"file_{number}.py", content + f"name_{number} = ")


def _settings(content: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        _sources(folder)
        _write(folder, ".llm-lsp.toml", content)

    return plant


def _ignores(content: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        _sources(folder)
        _write(folder, "a" * 60 + ".py", "name = ")
        _write(folder, ".gitignore", content)
        _write(folder, ".aiignore", content)

    return plant


def _content(content: str) -> Callable[[Path], None]:
    return lambda folder: _sources(folder, content)


def _many_files(folder: Path) -> None:
    _sources(folder, "from file_x import thing\n")
    for number in range(3000):
        _write(folder, f"module_{number}.py", f"def thing_{number}(x):\n    name = x + {number}\n" * 20)


def _links(folder: Path) -> None:
    _sources(folder)
    (folder / "loop").symlink_to(folder)
    (folder / "zero.py").symlink_to("/dev/zero")
    (folder / ".aiignore").symlink_to(".aiignore")


REPOSITORIES: Mapping[str, Callable[[Path], None]] = {
    "a good one": _sources,
    "60,000 settings": _settings("".join(f"k{n} = 1\n" for n in range(60_000))),
    "20,000 settings": _settings("".join(f"k{n}=1\n" for n in range(20_000))),
    "900 unknown settings": _settings("".join(f"enbled{n} = 1\n" for n in range(900))),
    "900 globs": _settings(
        json.dumps([f"**/*a{n}*b*" for n in range(900)]).join(("privacy.exclude = ", "\n"))
    ),
    "a setting of 120,000 parts": _settings("a." * 120_000 + "a = 1"),
    "settings in one string": _settings('a = "' + "b" * 200_000 + '"'),
    "a glob without end": _ignores("*a" * 25 + "b\n"),
    "2,000 globs": _ignores("".join(f"*a{n}*b*\n" for n in range(2000))),
    "an ignore file of 127 KiB": _ignores("*a*b*c\n" * 18_600),
    "an ignore file of 256 KiB": _ignores("*a*b*c\n" * 37_000),
    "a line of 1 MB": _content("x = [" + "1, " * 350_000 + "]\n"),
    "a line of escaped quotes": _content('x = "' + '\\"' * 100_000 + "\n"),
    "a text of brackets": _content("([{\n" * 50_000),
    "100,000 lines": _content("name = other + 1\n" * 100_000),
    "50,000 imports": _content("".join(f"from module_{n} import thing\n" for n in range(50_000))),
    "hidden characters": _content("# \u200b\u202e\n" * 50_000),
    "3,000 files": _many_files,
    "links that lead in circles": _links,
}
