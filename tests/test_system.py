"""Processes, private files and locks, on the system that the tests run on."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from llm_lsp import system
from tests.patience import PATIENCE_S

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are POSIX")


@pytest.fixture(params=["here", "elsewhere"])
def by_any_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at processes as this system does, and as those without /proc do."""
    if request.param == "elsewhere":
        monkeypatch.setattr(system, "_answers_signals", system._is_listed)
        monkeypatch.setattr(system, "_ticks_since_boot", system._creation_time)


@pytest.fixture
def child() -> subprocess.Popen[bytes]:
    """A process that ends when its standard input does."""
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def end(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    child.wait()


@pytest.mark.usefixtures("by_any_system")
def test_a_process_is_alive_until_it_ended(child: subprocess.Popen[bytes]) -> None:
    assert system.is_alive(child.pid)
    end(child)
    assert not system.is_alive(child.pid)


@linux_only
def test_a_mark_can_be_read_once_the_process_ended(child: subprocess.Popen[bytes]) -> None:
    mark = system.end_mark(child.pid)
    assert mark is not None
    try:
        assert select.select([mark], [], [], 0)[0] == []
        end(child)
        assert select.select([mark], [], [], 0)[0] == [mark]
    finally:
        os.close(mark)


def test_what_has_ended_has_no_mark_of_its_end(child: subprocess.Popen[bytes]) -> None:
    end(child)
    assert system.end_mark(child.pid) is None


@posix_only
@pytest.mark.usefixtures("by_any_system")
def test_a_zombie_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not system.is_alive(child.pid)
    child.wait()


@pytest.mark.usefixtures("by_any_system")
@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1, 2**40, 2**70])
def test_no_process_has_such_an_id(pid: int) -> None:
    assert not system.is_alive(pid)


@pytest.mark.usefixtures("by_any_system")
def test_a_start_mark_is_the_same_while_the_process_lives_and_gone_after(
    child: subprocess.Popen[bytes],
) -> None:
    mark = system.start_mark(child.pid)
    assert mark
    assert mark == system.start_mark(child.pid)
    end(child)
    assert system.start_mark(child.pid) != mark


@posix_only
@pytest.mark.usefixtures("by_any_system")
def test_a_process_of_another_account_is_alive() -> None:
    assert system.is_alive(1)
    assert system.start_mark(1)


def test_a_process_is_killed_with_all_that_it_started() -> None:
    sleeps = "import time; time.sleep(600)"
    starts = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {sleeps!r}])
print(child.pid, flush=True)
child.wait()
"""
    with subprocess.Popen([sys.executable, "-c", starts], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        grandchild = psutil.Process(int(parent.stdout.readline()))
        system.kill_tree(parent.pid)
    gone, alive = psutil.wait_procs([grandchild], PATIENCE_S)
    assert (gone, alive) == ([grandchild], [])
    system.kill_tree(parent.pid)


def test_terminating_a_process_that_is_gone_is_no_error(child: subprocess.Popen[bytes]) -> None:
    system.terminate(child.pid, force=True)
    child.communicate()
    system.terminate(child.pid)


@posix_only
def test_a_private_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = system.private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix_only
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError):
        system.private_folder(tmp_path)


@posix_only
def test_a_link_is_no_private_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError):
        system.private_folder(tmp_path / "link")


def test_a_private_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    system.write_private(path, b"one")
    system.write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["state.json"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_private_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(OSError):
        system.write_private(tmp_path / "state.json", b"one")
    assert os.listdir(tmp_path) == ["state.json"]


def test_one_holder_has_the_lock(tmp_path: Path) -> None:
    first, second = system.FileLock(tmp_path / "lock"), system.FileLock(tmp_path / "lock")
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()
    second.release()


def test_a_killed_holder_loses_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = (
        "import sys; from pathlib import Path; from llm_lsp import system; l = system.FileLock(Path(sys.argv[1]));"
        "print(l.try_acquire(), flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"True"
        lock = system.FileLock(path)
        assert not lock.try_acquire()
        system.terminate(holder.pid, force=True)
        holder.wait()
        assert lock.try_acquire()
        lock.release()


def test_the_machine_has_memory_and_a_core() -> None:
    assert system.memory_bytes() > 1 << 28
    assert system.available_cores() >= 1


def test_a_detached_child_leads_its_own_session() -> None:
    script = "import os; print(os.getpid() == getattr(os, 'getsid', lambda _: os.getpid())(0))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, **system.detached()
    )
    assert done.stdout.strip() == b"True"


def test_the_private_temporary_folder_is_the_same_at_each_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = system.private_temporary_folder("llm-lsp")
    assert folder.parent == tmp_path
    assert system.private_temporary_folder("llm-lsp") == folder


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account that is not in the system's list, without HOME; the folder for temporary files."""
    pwd = pytest.importorskip("pwd")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", dict[int, str]().__getitem__)
    return temporary


@pytest.mark.parametrize("home", [None, "", ".", "home", "~"])
def test_an_account_without_a_home_folder_gets_a_private_one(
    home: str | None, homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if home is not None:
        monkeypatch.setenv("HOME", home)
    system.provide_home()

    assert system.temporary_home() == str(Path.home())
    assert Path.home().parent == homeless
    assert Path.home().stat().st_mode & 0o777 == 0o700

    system.provide_home()
    assert Path.home().parent == homeless


def test_a_folder_that_another_account_made_is_no_home(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = homeless / f"llm-lsp-home-{os.getuid()}"
    taken.mkdir()
    taken.chmod(0o777)
    system.provide_home()

    assert Path.home() != taken
    assert Path.home().stat().st_mode & 0o777 == 0o700


def test_the_current_folder_is_no_place_for_a_home(
    homeless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(homeless))
    monkeypatch.chdir(homeless)
    system.provide_home()

    assert system.temporary_home() == os.devnull
    assert [*homeless.iterdir()] == []


def test_a_home_folder_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    system.provide_home()
    assert os.environ["HOME"] == str(tmp_path)
    assert system.temporary_home() == ""
