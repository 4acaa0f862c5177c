"""The server ends with its editor, whether the system tells of that or has to be asked."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from llm_lsp import system
from llm_lsp.lsp import stdio as run
from tests.doubles import settle


@pytest.mark.parametrize(
    "is_told",
    [
        pytest.param(
            True, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells"), id="told"
        ),
        pytest.param(False, id="asked"),
    ],
)
async def test_a_dead_editor_is_noticed(is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_told:
        monkeypatch.setattr(system, "end_mark", lambda pid: None)
        monkeypatch.setattr(run, "PARENT_POLL_S", 0.0)
    looks = watched_looks(monkeypatch)
    editor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def end(status: int, reason: str = "") -> None:
        ended.set_result((status, reason))

    run.watch_parent(asyncio.get_running_loop(), editor.pid, end)
    if not is_told:
        assert await looks.get()
    is_early = ended.done()
    editor.kill()
    await editor.wait()

    assert (is_early, await ended) == (False, (1, "the editor is gone"))


async def test_an_editor_that_cannot_be_seen_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PARENT_POLL_S", 0.0)
    looks = watched_looks(monkeypatch)

    run.watch_parent(asyncio.get_running_loop(), 2**22 + 1, lambda status, why="": pytest.fail(why))

    assert not await looks.get()
    await settle()
    assert looks.empty()


async def test_the_end_of_what_only_launched_the_server_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setattr(system, "end_mark", lambda pid: pytest.fail(f"{pid} is watched"))

    run.watch_parent(asyncio.get_running_loop(), None, lambda status, why="": pytest.fail(why))
    await settle()


def watched_looks(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[bool]:
    """Return a queue of what each look for a process saw."""
    looks, loop, is_alive = asyncio.Queue[bool](), asyncio.get_running_loop(), system.is_alive

    def look(pid: int) -> bool:
        found = is_alive(pid)
        loop.call_soon_threadsafe(looks.put_nowait, found)
        return found

    monkeypatch.setattr(system, "is_alive", look)
    return looks
