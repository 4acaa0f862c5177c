"""Joining and starting model servers, with a stand-in for the process and for what answers."""

from __future__ import annotations

import itertools
import json
import os
import platform
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from llm_lsp import system
from llm_lsp.config.settings import LocalConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import LocalModelError, ModelFileError, ModelServerError
from llm_lsp.local import model_servers as servers
from llm_lsp.local import server_process as host
from llm_lsp.local.local_models import LocalEndpoint, LocalModels, LocalPaths
from llm_lsp.local.measured_speed import MeasuredSpeed
from llm_lsp.local.model_servers import ModelServers, scrubbed
from llm_lsp.local.server_process import ALREADY_RUNNING, HostOptions, missing_server
from llm_lsp.local.server_state import ServerFiles, ServerState, files_of
from tests.local.starting import KEY, SPEC, Starter, options_in, ready, tell
from tests.servers import listening_in_threads


class Answering(BaseHTTPRequestHandler):
    """Answers as a server of the model `m` whose key is `right`."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == f"Bearer {KEY}"
        body = json.dumps({"data": [{"id": "m"}]}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening_in_threads(Answering) as port:
        yield port


def silent(line: str) -> None:
    """Show no progress."""


async def test_a_server_that_runs_is_joined(tmp_path: Path, port: int) -> None:
    tell(tmp_path, port)
    starter = Starter(lambda: None)
    state = await ModelServers(tmp_path, starter).join(options_in(tmp_path), silent)
    assert (state.port, starter.starts) == (port, 0)


async def test_where_none_runs_one_is_started_with_a_line_of_progress(tmp_path: Path, port: int) -> None:
    starter = Starter(ready(tmp_path, port))
    lines: list[str] = []
    state = await ModelServers(tmp_path, starter).join(options_in(tmp_path), lines.append)
    assert (state.port, starter.starts, lines) == (port, 1, ["loading m"])


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda folder, port: tell(folder, port, key="wrong"), id="another server has the port"),
        pytest.param(lambda folder, port: tell(folder, 1), id="nothing has the port"),
        pytest.param(lambda folder, port: files_of(SPEC, folder).state.write_text("{"), id="half a file"),
    ],
)
async def test_what_does_not_answer_as_ours_is_not_joined(
    tmp_path: Path, port: int, leave: Callable[[Path, int], None]
) -> None:
    leave(tmp_path, port)
    starter = Starter(ready(tmp_path, port))
    await ModelServers(tmp_path, starter).join(options_in(tmp_path), silent)
    assert starter.starts == 1


async def test_who_lost_the_race_waits_for_the_winner(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(files: ServerFiles) -> ServerState | None:
        nonlocal looks
        looks += 1
        if looks == 4:
            tell(tmp_path, port)
        return files.read()

    monkeypatch.setattr(servers, "_look", look)
    starter = Starter(lambda: ALREADY_RUNNING)
    state = await ModelServers(tmp_path, starter).join(options_in(tmp_path), silent)
    assert (state.port, starter.starts) == (port, 1)


@pytest.mark.parametrize(
    ("leave", "remedy"),
    [
        pytest.param(
            lambda folder: None, r"\.lock but does not serve m: end it, or delete that file", id="no state"
        ),
        pytest.param(lambda folder: tell(folder, 1), "`llm-lsp model stop m`", id="a server that hangs"),
    ],
)
async def test_who_holds_the_place_and_does_not_answer_is_not_waited_for_without_end(
    tmp_path: Path, leave: Callable[[Path], None], remedy: str
) -> None:
    leave(tmp_path)
    starter = Starter(lambda: ALREADY_RUNNING)
    minutes = itertools.count(step=60.0)
    with pytest.raises(ModelServerError, match=remedy):
        await ModelServers(tmp_path, starter, lambda: next(minutes)).join(options_in(tmp_path), silent)


@pytest.mark.parametrize(
    ("is_held", "kept"),
    [
        pytest.param(True, b"its words", id="of a server that lives"),
        pytest.param(False, b"", id="of one that ended"),
    ],
)
def test_only_the_log_of_a_server_that_ended_is_emptied(tmp_path: Path, is_held: bool, kept: bytes) -> None:
    files = files_of(SPEC, tmp_path)
    files.log.write_bytes(b"its words")
    lock = system.FileLock(files.lock)
    if is_held:
        lock.try_acquire()
    with open(files.log, "ab") as log:
        servers._begin_log(files, log)
    lock.release()
    assert files.log.read_bytes() == kept


@pytest.mark.parametrize(
    ("log", "words"),
    [
        pytest.param(
            "0.1 W note\n0.00.2 E gguf_init: bad GGUF version: 0\n0.00.3 E srv: exiting\n",
            "bad GGUF version: 0",
            id="the first error is the cause",
        ),
        pytest.param("Traceback\nImportError: no xllamacpp\n", "ImportError: no xllamacpp", id="traceback"),
        pytest.param("", "exit status 9", id="silent"),
    ],
)
async def test_a_server_that_does_not_start_says_why_in_one_line(
    tmp_path: Path, log: str, words: str
) -> None:
    def fail() -> int:
        files_of(SPEC, tmp_path).log.write_text(log)
        return 9

    with pytest.raises(ModelServerError) as caught:
        await ModelServers(tmp_path, Starter(fail)).join(options_in(tmp_path), silent)
    message = str(caught.value)
    assert message.startswith("the server for m did not start: ")
    assert words in message
    assert "\n" not in message


async def test_without_the_extra_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None)
    with pytest.raises(LocalModelError, match=r"pip install 'llm-lsp\[local\]'"):
        await ModelServers(tmp_path, Starter(lambda: None)).join(options_in(tmp_path), silent)


def test_where_no_package_of_the_server_exists_another_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: "ARM64")
    assert "pip install" not in missing_server()
    assert "Ollama" in missing_server()


def test_the_childs_environment_has_no_key() -> None:
    kept = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "0", "SystemRoot": "C:"}
    keys = {
        "OPENAI_API_KEY": "x",
        "HF_TOKEN": "x",
        "MY_PATH": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "PYTHONSTARTUP": "x",
    }
    assert scrubbed(kept | keys) == kept


def test_the_childs_arguments_come_back(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    assert HostOptions.from_argument(options.as_argument()) == options


@pytest.mark.skipif(os.name != "posix", reason="Unix sockets")
def test_a_socket_is_where_one_can_be_made_and_no_other_account_may_enter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o755)
    first, second = tmp_path / "file" / "s.sock", open_to_all / "s.sock"

    assert host.usable_socket([first, second]) == second
    assert stat.S_IMODE(open_to_all.stat().st_mode) == 0o700
    assert not second.exists()
    with pytest.raises(ModelServerError, match="no socket can be created"):
        host.usable_socket([first])


def test_a_long_path_has_its_socket_among_the_temporary_files(tmp_path: Path) -> None:
    long = tmp_path / ("home" * 30)

    assert [len(files_of(SPEC, folder).sockets) for folder in (Path("/s"), long)] == [2, 1]
    assert all(len(os.fsencode(path)) < 104 for path in files_of(SPEC, long).sockets)


def test_a_server_ends_when_it_was_idle_and_not_while_it_works() -> None:
    """Work that is done, or under way, begins the time anew."""
    counts = iter([0, 1, 2, 3])
    asked = 0

    def work_done() -> int:
        nonlocal asked
        asked += 1
        return next(counts, 3)

    host._wait(threading.Event(), 0.2, work_done)
    assert asked >= 6  # four that differ, and two polls of 0.1 s at least with the same


def test_a_server_that_is_told_to_end_ends() -> None:
    stop = threading.Event()
    stop.set()
    host._wait(stop, 0.0, lambda: 0)


@pytest.mark.parametrize(
    ("metrics", "idle"),
    [
        pytest.param("llamacpp:tokens_predicted_total 5\nllamacpp:requests_processing 0\n", True, id="idle"),
        pytest.param(
            "llamacpp:tokens_predicted_total 5\nllamacpp:requests_processing 1\n", False, id="working"
        ),
        pytest.param(
            "llamacpp:tokens_predicted_total 5\nllamacpp:requests_deferred 2\n", False, id="waiting"
        ),
    ],
)
def test_a_request_under_way_is_work(metrics: str, idle: bool) -> None:
    server = type("Server", (), {"handle_metrics": lambda self: metrics})()
    assert (host._work_done(server) == host._work_done(server)) is idle


# LocalModels


@pytest.fixture
def paths(tmp_path: Path) -> LocalPaths:
    (tmp_path / "models").mkdir()
    return LocalPaths(tmp_path / "models", tmp_path / "state")


async def test_where_no_model_is_here_the_command_is_named(paths: LocalPaths) -> None:
    with pytest.raises(LocalModelError, match="llm-lsp model pull"):
        await LocalModels(paths).acquire(LocalConfig(), silent)


async def test_a_model_file_that_is_no_gguf_starts_nothing(paths: LocalPaths, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"<html>")
    starter = Starter(lambda: None)
    with pytest.raises(ModelFileError, match="not a GGUF"):
        await LocalModels(paths, starter).acquire(LocalConfig(model=str(tmp_path / "x.gguf")), silent)
    assert starter.starts == 0


async def test_auto_takes_what_its_user_serves(paths: LocalPaths, port: int) -> None:
    (paths.models / "other.gguf").write_bytes(b"GGUF")
    starter = Starter(lambda: 9)
    local = LocalModels(paths, starter)
    tell(paths.state / "servers", port, idle_s=0)
    endpoint = await local.acquire(LocalConfig(), silent)
    assert (endpoint.model, endpoint.context_tokens, starter.starts) == ("m", 8192, 0)


@pytest.mark.parametrize(
    ("model", "key", "idle_s"),
    [
        pytest.param("other", KEY, 0, id="another model is named"),
        pytest.param("auto", "wrong", 0, id="no answer"),
        pytest.param("auto", KEY, 60.0, id="it was not started by its user"),
    ],
)
async def test_a_server_that_is_not_meant_is_left_alone(
    paths: LocalPaths, port: int, model: str, key: str, idle_s: float
) -> None:
    (paths.models / "other.gguf").write_bytes(b"GGUF")
    starter = Starter(lambda: 9)
    local = LocalModels(paths, starter)
    tell(paths.state / "servers", port, key=key, idle_s=idle_s)
    with pytest.raises(ModelServerError, match="the server for other"):
        await local.acquire(LocalConfig(model=model), silent)
    assert starter.starts == 1


def test_settings_reach_the_server(paths: LocalPaths) -> None:
    (paths.models / "m.gguf").write_bytes(b"GGUF")
    local = LocalModels(paths)
    config = LocalConfig(idle_minutes=0.5, threads=3, context_tokens=4096)
    options = local.options(local.store.find("m"), config)
    assert (options.idle_s, options.threads, options.spec.context_tokens) == (30.0, 3, 4096)


def test_the_measured_threads_are_taken(paths: LocalPaths) -> None:
    (paths.models / "m.gguf").write_bytes(b"GGUF")
    local = LocalModels(paths)
    local.speeds.put("m", MeasuredSpeed(5, 600.0, 20.0))
    options = local.options(local.store.find("m"), LocalConfig())
    assert (options.threads, options.batch_tokens) == (5, 512)


@pytest.mark.parametrize(
    ("window", "speed", "budget"),
    [
        pytest.param(8192, 60.0, 600, id="ten seconds of reading"),
        pytest.param(8192, 5.0, 512, id="a slow machine"),
        pytest.param(8192, 900.0, 2048, id="a fast machine"),
        pytest.param(8192, None, 1024, id="not measured"),
        pytest.param(512, 900.0, 512, id="a small window"),
        pytest.param(512, None, 512, id="a small window, not measured"),
    ],
)
def test_a_prompt_is_no_longer_than_the_window_and_the_patience(
    window: int, speed: float | None, budget: int
) -> None:
    endpoint = LocalEndpoint(
        "http://127.0.0.1:1/v1", "", Secret("k"), "m", Path("m.gguf"), 1, "auto", window, speed
    )
    assert endpoint.prompt_budget() == budget


async def test_a_home_that_cannot_be_written_gives_one_message_and_a_private_folder(
    paths: LocalPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "file").write_text("")
    (paths.models / "m.gguf").write_bytes(b"GGUF")
    lines: list[str] = []
    local = LocalModels(replace(paths, state=tmp_path / "file" / "state"), Starter(lambda: 9))
    for _ in range(2):
        with pytest.raises(ModelServerError):
            await local.acquire(LocalConfig(), lines.append)
    told = [line for line in lines if "cannot be written" in line]
    assert len(told) == 1
    (folder,) = (tmp_path / "temporary").iterdir()
    assert str(folder) in told[0]
    assert not folder.stat().st_mode & 0o077


def test_a_model_for_next_edits_is_served_for_these_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "answers", lambda state: True)
    tell(tmp_path, 1, idle_s=0)
    state = files_of(SPEC, tmp_path).read()
    assert state is not None
    edits = replace(SPEC, model="sweep-next-edit-0.5b", gguf="/models/sweep.gguf")
    files_of(edits, tmp_path).write(replace(state, spec=edits))
    running = ModelServers(tmp_path)

    completing, editing = running.served(), running.served(for_edits=True)
    files_of(SPEC, tmp_path).clear()

    assert completing is not None
    assert completing.spec.model == "m"
    assert editing is not None
    assert editing.spec == edits
    assert running.served() is None


async def test_a_model_for_next_edits_completes_neither_automatically_nor_by_name(paths: LocalPaths) -> None:
    (paths.models / "sweep-next-edit-0.5b.gguf").write_bytes(b"GGUF")
    local = LocalModels(paths, Starter(lambda: 9))

    assert local.best() is None
    with pytest.raises(LocalModelError, match="writes next edits and does not complete"):
        await local.acquire(LocalConfig(model="sweep-next-edit-0.5b"), silent)
