"""The file in which a model server tells of itself."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llm_lsp import system
from llm_lsp.local.server_state import ServerSpec, ServerState, files_of, read_state, running

SPEC = ServerSpec("m", "/models/m.gguf", 8192)


def state_of(pid: int, mark: str) -> ServerState:
    return ServerState(SPEC, 1234, "the-key", pid, mark, 0.0, 1, 60.0)


@pytest.fixture
def mine() -> ServerState:
    """The state of a server that is this process."""
    return state_of(os.getpid(), system.start_mark(os.getpid()))


def test_a_server_that_runs_is_read_back(tmp_path: Path, mine: ServerState) -> None:
    files = files_of(SPEC, tmp_path)
    files.write(mine)
    assert files.read() == mine
    assert running(tmp_path) == [mine]
    files.clear()
    files.clear()
    assert files.read() is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_only_this_user_can_read_the_key(tmp_path: Path, mine: ServerState) -> None:
    files = files_of(SPEC, tmp_path)
    files.write(mine)
    assert stat.S_IMODE(files.state.stat().st_mode) == 0o600


def test_the_key_shows_in_no_repr(mine: ServerState) -> None:
    assert "the-key" not in repr(mine)


def test_a_file_left_by_a_process_that_ended_is_stale(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    mark = system.start_mark(ended.pid)
    ended.wait()
    files = files_of(SPEC, tmp_path)
    files.write(state_of(ended.pid, mark))
    assert files.read() is None
    assert running(tmp_path) == []


def test_a_process_id_that_was_given_again_is_stale(tmp_path: Path, mine: ServerState) -> None:
    files = files_of(SPEC, tmp_path)
    files.write(replace(mine, start_mark="another start"))
    assert files.read() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"spec": {}}', '{"spec": 1}'])
def test_a_file_that_is_not_ours_is_no_server(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert read_state(tmp_path / "x.json") is None
    assert running(tmp_path) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(SPEC, gguf="/elsewhere/m.gguf"), id="file"),
        pytest.param(replace(SPEC, context_tokens=4096), id="window"),
        pytest.param(replace(SPEC, lora="/a.gguf"), id="adapter"),
    ],
)
def test_what_differs_has_its_own_server(tmp_path: Path, other: ServerSpec) -> None:
    assert files_of(other, tmp_path).lock != files_of(SPEC, tmp_path).lock
    assert files_of(replace(SPEC), tmp_path) == files_of(SPEC, tmp_path)
