"""The real model server: shared, protected by its key, and ended when idle."""

from __future__ import annotations

import json
import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from llm_lsp import system
from llm_lsp.config.settings import LocalConfig
from llm_lsp.errors import ModelServerError
from llm_lsp.local.local_models import LocalEndpoint, LocalModels, LocalPaths
from llm_lsp.local.model_store import LocalModel
from llm_lsp.local.server_connection import ServerConnection

pytestmark = pytest.mark.real_model


def ask(
    endpoint: LocalEndpoint, path: str, body: dict[str, object] | None = None, key: str | None = None
) -> tuple[int, bytes]:
    """Ask the server, with its key where none is given."""
    connection = ServerConnection(urlsplit(endpoint.base_url).port or 0, endpoint.socket, 60)
    headers = {"Authorization": f"Bearer {endpoint.key.reveal() if key is None else key}"}
    try:
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def listens_on_a_port(pid: int) -> bool:
    """Look for a process's listening TCP sockets; False where the system has no /proc."""
    if not Path("/proc/net/tcp").exists():
        return False
    handles = (os.readlink(handle) for handle in Path(f"/proc/{pid}/fd").iterdir())
    inodes = {
        target.removeprefix("socket:[").rstrip("]") for target in handles if target.startswith("socket:")
    }
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()
    ]
    return any(row[3] == "0A" and row[9] in inodes for row in rows[1:] if len(row) > 9)


def test_the_model_completes(real_model: LocalEndpoint) -> None:
    status, answer = ask(
        real_model, "/completion", {"prompt": "def add(a, b):\n    return a", "n_predict": 4}
    )
    assert status == 200
    assert json.loads(answer)["timings"]["predicted_n"] > 0


@pytest.mark.parametrize("path", ["/completion", "/infill", "/v1/models", "/slots", "/props", "/metrics"])
@pytest.mark.parametrize("key", ["", "wrong"])
def test_without_the_key_the_server_answers_401(real_model: LocalEndpoint, path: str, key: str) -> None:
    body: dict[str, object] | None = (
        {"prompt": "x", "n_predict": 1} if path in ("/completion", "/infill") else None
    )
    assert ask(real_model, path, body, key)[0] == 401


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_neither_the_key_nor_ours_shows_in_the_process_list(real_model: LocalEndpoint) -> None:
    command = Path(f"/proc/{real_model.pid}/cmdline").read_bytes()
    assert real_model.key.reveal().encode() not in command


# Lives of their own: each test has servers that it may kill.

IDLE_MINUTES = 0.05
"""Three seconds."""


@pytest.fixture
def paths(real_model_file: LocalModel, tmp_path: Path) -> Iterator[LocalPaths]:
    """The small model, with its own state."""
    paths = LocalPaths(real_model_file.path.parent, tmp_path / "state")
    yield paths
    local = LocalModels(paths)
    for state in local.servers.running():
        local.servers.stop(state)


@contextmanager
def user(paths: LocalPaths) -> Iterator[subprocess.Popen[str]]:
    """Run a process that uses the server; killed with -9 at the end."""
    command = [
        sys.executable,
        "-m",
        "tests.local.user",
        str(paths.models),
        str(paths.state),
        str(IDLE_MINUTES),
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def server_of(process: subprocess.Popen[str]) -> int:
    """Wait until a user has its server, and give that one's process id."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def wait_until(fact: Callable[[], bool]) -> None:
    """Wait for something real; the test's own deadline ends it."""
    while not fact():
        time.sleep(0.05)


def test_users_that_start_together_share_one_server_which_outlives_their_killing_until_idle(
    paths: LocalPaths,
) -> None:
    with user(paths) as first, user(paths) as second, user(paths) as third:
        pids = {server_of(process) for process in (first, second, third)}
        assert len(pids) == 1
        for process in (first, second, third):
            process.kill()
            process.wait()
        (state,) = LocalModels(paths).servers.running()
        assert {state.pid} == pids
    wait_until(lambda: not system.is_alive(state.pid))
    assert not list((paths.state / "servers").glob("*.json"))


async def test_a_server_that_was_killed_is_started_again(paths: LocalPaths) -> None:
    local = LocalModels(paths)
    config = LocalConfig(model="smollm2-135m", idle_minutes=1)
    killed = await local.acquire(config, lambda line: None)
    os.kill(killed.pid, 9)
    wait_until(lambda: not local.servers.running())
    lines: list[str] = []
    again = await local.acquire(config, lines.append)
    assert again.pid != killed.pid
    assert lines == ["loading smollm2-135m"]
    assert ask(again, "/v1/models")[0] == 200


async def test_a_stopped_server_leaves_no_state(paths: LocalPaths) -> None:
    local = LocalModels(paths)
    endpoint = await local.acquire(LocalConfig(model="smollm2-135m"), lambda line: None)
    (state,) = local.servers.running()
    local.servers.stop(state)
    assert not system.is_alive(endpoint.pid)
    assert not [*(paths.state / "servers").glob("*.json"), *(paths.state / "servers").rglob("*.sock")]


@pytest.mark.skipif(sys.platform == "win32", reason="there it listens on a port")
async def test_the_server_listens_where_no_other_account_can_come(paths: LocalPaths) -> None:
    local = LocalModels(paths)
    endpoint = await local.acquire(LocalConfig(model="smollm2-135m"), lambda line: None)
    folder = Path(endpoint.socket).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.parent == paths.state / "servers"
    assert not listens_on_a_port(endpoint.pid)


async def test_a_broken_gguf_is_said_in_one_line(paths: LocalPaths, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelServerError, match="bad GGUF version") as caught:
        await LocalModels(paths).acquire(LocalConfig(model=str(broken)), lambda line: None)
    assert "\n" not in str(caught.value)


def write_adapter(path: Path) -> None:
    """Write a LoRA adapter that changes nothing: rank 1, zeros, for one matrix of the small model (GGUF, version 3)."""
    width = 576

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    def fact(key: str, value: str | float) -> bytes:
        kind, data = (8, text(value)) if isinstance(value, str) else (6, struct.pack("<f", value))
        return text(key) + struct.pack("<I", kind) + data

    facts = [fact("general.architecture", "llama"), fact("general.type", "adapter")]
    facts += [fact("adapter.type", "lora"), fact("adapter.lora.alpha", 1.0)]
    data = bytes(4 * width)
    shapes = {"blk.0.attn_q.weight.lora_a": (width, 1), "blk.0.attn_q.weight.lora_b": (1, width)}
    tensors = [
        text(name) + struct.pack("<IQQIQ", 2, *shape, 0, idx * len(data))
        for idx, (name, shape) in enumerate(shapes.items())
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts + tensors)
    path.write_bytes(head + bytes(-len(head) % 32) + data * len(tensors))


async def test_an_adapter_is_served_on_its_model(paths: LocalPaths, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter.gguf")
    local = LocalModels(paths)
    options = local.options(local.store.find("smollm2-135m"), LocalConfig(), tmp_path / "adapter.gguf")
    endpoint = local.endpoint(await local.servers.join(options, lambda line: None))
    status, answer = ask(endpoint, "/lora-adapters")
    assert status == 200
    assert [Path(adapter["path"]).name for adapter in json.loads(answer)] == ["adapter.gguf"]
