"""What differs on Windows and macOS, as far as a machine with Linux can run it: under a fake platform.

`windows` is the module `system` as Windows would load it, with Windows's paths and a lock that only one may hold.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from llm_lsp import system
from llm_lsp.cli.editors.editor_files import EDITORS
from llm_lsp.cli.files import settings_files
from llm_lsp.engine.privacy import ignore_files
from llm_lsp.local import server_process
from llm_lsp.lsp.process_end import ProcessEnd
from tests.local.starting import options_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these systems test themselves")


@pytest.fixture
def locked() -> set[int]:
    """The files that another process has locked, by inode."""
    return set()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch, locked: set[int], tmp_path: Path) -> Any:
    def locking(descriptor: int, mode: int, n_bytes: int) -> None:
        if os.fstat(descriptor).st_ino in locked:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x8000000, raising=False)
    for module, name in ((os, "getuid"), (os, "geteuid"), (os, "sched_getaffinity"), (os, "O_NONBLOCK")):
        monkeypatch.delattr(module, name)
    monkeypatch.delattr(signal, "SIGKILL")
    spec = importlib.util.spec_from_file_location("system_on_windows", system.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        pytest.param("file:///c%3A/Users/a/x.py", r"c:\Users\a\x.py", id="a drive as VS Code writes it"),
        pytest.param("file:///C:/Users/a/x.py", r"C:\Users\a\x.py", id="a drive as others write it"),
        pytest.param("file:///d:/a%20b/%E4%B8%AD.py", "d:\\a b\\\u4e2d.py", id="blank and Chinese"),
        pytest.param("file://localhost/c:/x.py", r"c:\x.py", id="localhost"),
        # Opening it would show this user's credentials to that machine.
        pytest.param("file://server/share/x.py", None, id="a network share"),
        pytest.param("file://wsl.localhost/Ubuntu/home/a/x.py", None, id="a file in WSL"),
        pytest.param("untitled:Untitled-1", None, id="no file"),
    ],
)
def test_a_uri_names_a_path_with_a_drive(windows: Any, uri: str, path: str | None) -> None:
    windows.Path = PureWindowsPath
    found = windows.path_of_uri(uri)
    assert found == (None if path is None else PureWindowsPath(path))


@pytest.mark.parametrize("path", [r"C:\x.py", r"c:\a b\#1\50%.py", r"d:\x;y\[z].py"])
def test_a_path_comes_back_from_its_uri(windows: Any, path: str) -> None:
    windows.Path = PureWindowsPath
    assert windows.path_of_uri(PureWindowsPath(path).as_uri()) == PureWindowsPath(path)


def test_a_folder_that_looks_like_a_drive_is_a_folder_elsewhere() -> None:
    assert system.path_of_uri("file:///c:/x.py") == Path("/c:/x.py")


def test_a_process_is_ended_by_the_one_signal_that_there_is(
    windows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    windows.terminate(1, force=True)
    windows.terminate(1)
    assert sent == [signal.SIGTERM, signal.SIGTERM]


def test_a_detached_process_has_no_console(windows: Any) -> None:
    assert windows.detached() == {
        "close_fds": True,
        "start_new_session": False,
        "creationflags": 0x8000200,
    }


def test_a_running_process_is_listed(windows: Any) -> None:
    assert windows.is_alive(os.getpid())
    assert windows.start_mark(os.getpid()) == windows.start_mark(os.getpid()) != ""
    assert windows.end_mark(os.getpid()) is None


def test_a_lock_is_held_by_one(windows: Any, tmp_path: Path, locked: set[int]) -> None:
    file = tmp_path / "lock"
    lock = windows.FileLock(file)
    assert lock.try_acquire()
    lock.release()

    locked.add(file.stat().st_ino)
    assert not windows.FileLock(file).try_acquire()
    with pytest.raises(TimeoutError), windows.locked_file(file, wait_s=0):
        pass


def test_what_only_posix_has_is_not_asked_for(windows: Any, tmp_path: Path) -> None:
    windows.forbid_core_dumps()
    windows.provide_home()
    assert windows.available_cores() >= 1
    assert windows.private_folder(tmp_path / "new").is_dir()
    assert windows.private_temporary_folder("llm-lsp-test").name == "llm-lsp-test"
    windows.write_private(tmp_path / "file", b"x")
    assert windows.read_plain_file(tmp_path / "file", 10) == b"x"


def test_a_model_server_listens_on_a_port_where_there_are_no_sockets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    llama = SimpleNamespace(CommonParams=_Params, Server=lambda params: params)
    monkeypatch.setitem(sys.modules, "xllamacpp", llama)
    for platform, is_socket in (("darwin", True), ("win32", False)):
        monkeypatch.setattr(sys, "platform", platform)
        params: Any = server_process._start(options_in(tmp_path), [tmp_path / "s" / "a.sock"], "key")
        [host] = params.hostnames
        assert host.endswith(".sock") is is_socket
        assert is_socket or (host, params.port) == ("127.0.0.1", 0)


class _Params(SimpleNamespace):
    """Has whatever attribute is set, some with attributes of their own."""

    def __init__(self) -> None:
        super().__init__(
            model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
        )


def test_no_signal_is_handled_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        patch.setattr(signal, "signal", lambda *arguments: handled.append(arguments))
        end = ProcessEnd(1.0)
        end.end_on_signals(end.begin)
    assert handled == []


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("win32", r"D:\ProgramData\llm-lsp"),
        ("darwin", "/Library/Application Support/llm-lsp"),
        ("linux", "/etc/llm-lsp"),
    ],
)
def test_the_policy_is_where_only_an_administrator_writes(
    platform: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path: Callable[[str], object] = PureWindowsPath if platform == "win32" else Path
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(settings_files, "Path", path)
    monkeypatch.setenv("PROGRAMDATA", r"D:\ProgramData")
    assert settings_files.policy_folder() == path(folder)


# Each from its editor's own manual.
HOMES = {
    "neovim": (
        "Local/nvim-data/site/pack/llm-lsp/start/llm-lsp",
        ".local/share/nvim/site/pack/llm-lsp/start/llm-lsp",
    ),
    "vim": ("vimfiles/pack/llm-lsp/start/llm-lsp", ".vim/pack/llm-lsp/start/llm-lsp"),
    "emacs": ("Roaming/.emacs.d", ".emacs.d"),
    "helix": ("Roaming/helix", ".config/helix"),
    "zed": ("Roaming/Zed", ".config/zed"),
    "sublime-text": (
        "Roaming/Sublime Text/Packages/User",
        "Library/Application Support/Sublime Text/Packages/User",
    ),
    "kate": ("Local/kate/lspclient", ".config/kate/lspclient"),
}


@pytest.mark.parametrize("name", HOMES)
def test_an_editor_is_configured_where_it_looks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path("/home/a")
    monkeypatch.setattr(Path, "home", lambda: home)
    for variable, folder in (("APPDATA", "Roaming"), ("LOCALAPPDATA", "Local")):
        monkeypatch.setenv(variable, str(home / folder))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    setup = EDITORS[name].home
    assert setup is not None
    for platform, place in zip(("win32", "darwin"), HOMES[name], strict=True):
        monkeypatch.setattr(sys, "platform", platform)
        assert setup.path() == home / place


def test_every_editor_with_a_folder_is_in_the_table() -> None:
    assert HOMES.keys() == {name for name, setup in EDITORS.items() if setup.home}


@pytest.mark.parametrize("ignores_case", [True, False])
def test_an_ignore_file_ignores_case_where_git_does(
    ignores_case: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ignore_files, "_IGNORES_CASE", ignores_case)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("Private/\n", encoding="utf-8")
    files = ignore_files.IgnoreFiles(tmp_path)
    assert files.covers(tmp_path / "Private" / "x.py")
    assert files.covers(tmp_path / "private" / "x.py") is ignores_case


def test_the_fake_is_the_module(windows: ModuleType) -> None:
    assert windows.__file__ == system.__file__
    assert windows is not system
