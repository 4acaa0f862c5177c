"""`llm-lsp model`: what users read, and the exit status."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp import system
from llm_lsp.cli.commands import model as model_command
from llm_lsp.cli.main import group
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import DownloadError, NoAnswerError
from llm_lsp.local import catalogue
from llm_lsp.local import server_process as host
from llm_lsp.local.catalogue import MachineProfile
from llm_lsp.local.download_sources import Progress
from llm_lsp.local.local_models import LocalModels, LocalPaths
from llm_lsp.local.measured_speed import MeasuredSpeed
from llm_lsp.local.model_store import LocalModel
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import ServerSpec, ServerState, files_of

GB = 1_000_000_000


class FakeFetcher:
    """Gives the models that can be reached."""

    def __init__(
        self, local: LocalModels, reachable: set[str], error: type[DownloadError] = NoAnswerError
    ) -> None:
        self._local, self._reachable, self._error = local, reachable, error

    def fetch(self, model: catalogue.CatalogueModel, progress: Progress) -> LocalModel:
        if model.name not in self._reachable:
            raise self._error(f"{model.name} could not be downloaded")
        progress(50_000_000, 100_000_000)
        progress(100_000_000, 100_000_000)
        self._local.store.path_of(model.name).write_bytes(b"GGUF")
        return self._local.store.find(model.name)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalModels:
    """A machine of 8 GB and two cores, without models."""
    (tmp_path / "models").mkdir()
    local = LocalModels(LocalPaths(tmp_path / "models", tmp_path / "state"))
    monkeypatch.setattr(model_command, "local_models", lambda: local)
    monkeypatch.setattr(model_command, "this_machine", lambda: MachineProfile(8 * GB, 2))
    for model in catalogue.MODELS:
        local.speeds.put(model.name, MeasuredSpeed(1, 70.0, 20.0))  # nothing is left to measure
    return local


Reach = Callable[..., None]


@pytest.fixture
def reach(local: LocalModels, monkeypatch: pytest.MonkeyPatch) -> Reach:
    """Set which models can be reached."""

    def set_reachable(*names: str, error: type[DownloadError] = NoAnswerError) -> None:
        monkeypatch.setattr(local, "fetcher", FakeFetcher(local, set(names), error))

    return set_reachable


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["model", *arguments])


def test_pull_brings_a_model_with_progress_and_says_what_it_is(local: LocalModels, reach: Reach) -> None:
    reach("smollm2-135m")
    result = run("pull", "smollm2-135m")
    assert result.exit_code == 0
    assert result.stdout == ""
    for words in ("50 of 100 MB", "only to try out", "Apache-2.0", "better: qwen2.5-coder-0.5b", "491 MB"):
        assert words in result.stderr


def test_pull_without_a_name_takes_the_best_that_suits_and_says_what_a_better_one_needs(
    local: LocalModels, reach: Reach
) -> None:
    reach(*(model.name for model in catalogue.MODELS))
    result = run("pull")
    assert [model.name for model in local.available()] == ["qwen2.5-coder-0.5b"]
    assert "better: qwen2.5-coder-1.5b" in result.stderr
    assert "4 cores or a GPU" in result.stderr


@pytest.mark.parametrize("error", [NoAnswerError, DownloadError])
def test_pull_without_a_name_goes_down_to_what_can_be_reached(
    local: LocalModels, reach: Reach, error: type[DownloadError]
) -> None:
    reach("smollm2-135m", error=error)
    result = run("pull")
    assert result.exit_code == 0
    assert "qwen2.5-coder-0.5b c" in result.stderr  # cannot be reached, or could not be downloaded
    assert [model.name for model in local.available()] == ["smollm2-135m"]


def test_pull_fails_where_nothing_can_be_reached(local: LocalModels, reach: Reach) -> None:
    reach()
    result = run("pull")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: smollm2-135m could not be downloaded"


def test_pull_warns_of_a_licence_for_research_only(local: LocalModels, reach: Reach) -> None:
    reach("qwen2.5-coder-3b")
    assert "research-only" in run("pull", "qwen2.5-coder-3b").stderr


def test_pull_of_an_unknown_name_lists_the_known_ones(local: LocalModels) -> None:
    result = run("pull", "gpt")
    assert result.exit_code == 1
    assert "no model gpt" in result.stderr
    assert "smollm2-135m" in result.stderr


def test_list_shows_what_is_here_and_what_could_be(local: LocalModels) -> None:
    local.store.path_of("mine").write_bytes(b"GGUF")
    local.store.path_of("smollm2-135m").write_bytes(b"GGUF")
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert {name for name, row in rows.items() if row["here"]} == {"mine", "smollm2-135m"}
    assert [name for name, row in rows.items() if row["is_default"]] == ["smollm2-135m"]
    assert rows["qwen2.5-coder-7b"]["size_mb"] == 4683
    table = run("list").stdout
    assert all(name in table for name in rows)


def test_remove_takes_a_model_away(local: LocalModels) -> None:
    local.store.path_of("mine").write_bytes(b"GGUF")
    assert run("remove", "mine").exit_code == 0
    assert local.available() == []
    assert run("remove", "mine").exit_code == 1


def test_ps_shows_a_server_and_never_its_key(local: LocalModels, tmp_path: Path) -> None:
    assert run("ps").stderr == "no model server is running\n"
    spec = ServerSpec("m", "/m.gguf", 8192)
    pid = os.getpid()
    state = ServerState(spec, 4321, "the-key", pid, system.start_mark(pid), time.time() - 120, 1, 60.0)
    files_of(spec, tmp_path / "state" / "servers").write(state)
    (row,) = json.loads(run("ps", "--json").stdout)
    assert (row["model"], row["pid"], row["port"], row["minutes"]) == ("m", pid, 4321, 2)
    assert "4321" in run("ps").stdout
    assert "the-key" not in run("ps", "--json").output + run("ps").output


def test_stop_of_a_model_that_does_not_run_fails(local: LocalModels) -> None:
    assert run("stop").exit_code == 0
    result = run("stop", "m")
    assert result.exit_code == 1
    assert "no server for m is running" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("serve", "nonsense"), "unknown model nonsense", id="model"),
        pytest.param(("serve", "/nowhere.gguf"), "cannot be read", id="path"),
        pytest.param(("serve", "m", "--lora", "/nowhere.gguf"), "cannot be read", id="adapter"),
    ],
)
def test_serve_names_what_it_cannot_serve(local: LocalModels, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert words in result.stderr


KEYS = [
    pytest.param("from-file\n", None, "from-file", id="a file"),
    pytest.param(None, "from-variable", "from-variable", id="the variable"),
    pytest.param("from-file", "from-variable", "from-file", id="the file before the variable"),
    pytest.param(None, None, None, id="neither"),
]


@pytest.mark.parametrize(("in_file", "in_variable", "expected"), KEYS)
def test_serve_takes_a_fixed_key(
    local: LocalModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    in_file: str | None, in_variable: str | None, expected: str | None,
) -> None:  # fmt: skip
    keys: list[str | None] = []

    def serve_here(options: HostOptions, on_ready: object, key: Secret | None) -> int:
        keys.append(key.reveal() if key else None)
        return 0

    monkeypatch.setattr(host, "serve", serve_here)
    local.store.path_of("m").write_bytes(b"GGUF")
    if in_variable:
        monkeypatch.setenv(model_command.KEY_VARIABLE, in_variable)
    if in_file:
        (tmp_path / "key").write_text(in_file)
    assert run("serve", "m", *(("--key-file", str(tmp_path / "key")) if in_file else ())).exit_code == 0
    assert keys == [expected]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "No such file", id="no file"),
        pytest.param(b"\n", "one line of visible ASCII", id="empty"),
        pytest.param(b"the secret", "one line of visible ASCII", id="blanks"),
        pytest.param(b"\xff\xfe", "one line of visible ASCII", id="no text"),
    ],
)
def test_serve_refuses_what_is_no_key_and_does_not_show_it(
    local: LocalModels, tmp_path: Path, content: bytes | None, words: str
) -> None:
    local.store.path_of("m").write_bytes(b"GGUF")
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    result = run("serve", "m", "--key-file", str(tmp_path / "key"))
    assert result.exit_code == 1
    assert words in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.real_model
def test_serve_names_a_port_that_is_taken(local: LocalModels, real_model_file: LocalModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", str(real_model_file.path), "--port", str(port))
    assert result.exit_code == 1
    assert f"port {port} is in use" in result.stderr
