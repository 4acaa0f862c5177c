"""What differs between operating systems: processes, private files, locks, memory.

psutil is slow to import: only functions that are not called during server startup import it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypedDict
from urllib.parse import unquote_to_bytes, urlsplit

# Seconds between two attempts to take a lock that another process holds.
LOCK_POLL_S = 0.002
_HOME_NAME = "llm-lsp-home"


def is_alive(pid: int) -> bool:
    """Check whether a process is running; a zombie is not, a process that may not be inspected is."""
    if pid <= 0:
        return False
    return _answers_signals(pid) if sys.platform == "linux" else _is_listed(pid)


def end_mark(pid: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends; the caller closes it.

    None if the system has no such descriptor, or the process has already ended.
    """
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        # Kernels before 5.3 and some sandboxes refuse the call.
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


def start_mark(pid: int) -> str:
    """Return an opaque mark of when a process started, "" if unknown.

    Process ids are reused; an id together with this mark is not.
    """
    return _ticks_since_boot(pid) if sys.platform == "linux" else _creation_time(pid)


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    fields = _proc_stat(pid)
    # proc(5): field 3 is the state; Z is a zombie and X is dead.
    return fields is None or fields[0] not in ("Z", "X")


def _is_listed(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, OverflowError):
        return False


def _creation_time(pid: int) -> str:
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""


def _ticks_since_boot(pid: int) -> str:
    fields = _proc_stat(pid)
    # proc(5): field 22 is the start time in clock ticks since boot; the boot id makes it unique. psutil would return
    # wall-clock time instead, which shifts when the clock is set.
    return f"{_boot_id()}:{fields[19]}" if fields else ""


def _proc_stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third on; None if there is no such file."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command's name in parentheses; it can contain spaces and parentheses itself.
    return line.rpartition(")")[2].split()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def terminate(pid: int, *, force: bool = False) -> None:
    """Ask a process to end, or kill it with `force`; does nothing if it has already ended."""
    number = signal.SIGTERM
    if force and sys.platform != "win32":
        # Windows has no signals between processes: os.kill always kills.
        number = signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_tree(pid: int) -> None:
    """Kill a process and all its descendants; does nothing if it has already ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for each in tree:
        with contextlib.suppress(psutil.Error):  # already ended, or runs as another account
            each.kill()


class SpawnOptions(TypedDict):
    """Keyword arguments of subprocess.Popen."""

    close_fds: bool
    start_new_session: bool
    creationflags: int


def detached() -> SpawnOptions:
    """Return Popen options for a child that outlives us: own session, no inherited descriptors, no console."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return {"close_fds": True, "start_new_session": sys.platform != "win32", "creationflags": flags}


def forbid_core_dumps() -> None:
    """Keep core dumps from writing this process's keys and source code to disk."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def memory_bytes() -> int:
    """Return the memory of this machine in bytes, or the container's limit if that is smaller."""
    import psutil

    total = psutil.virtual_memory().total
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # no such control group, or the value "max"
            total = min(total, int(Path(limit).read_text(encoding="ascii")))
    return total


def available_cores() -> int:
    """Return the number of cores that this process may use, at least 1."""
    cores = os.cpu_count() or 1
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0)) or cores
    return cores


def load_average() -> float | None:
    """Return the one-minute load average: runnable processes; None if the system has none."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def path_of_uri(uri: str) -> Path | None:
    """Return the path of a file URI; None if it does not name a file on this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    # Decoded as bytes: a file's name need not be valid in any encoding.
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or "\0" in path:
        return None
    # A drive has no slash before it; elsewhere `/c:` is a folder.
    return Path(re.sub(r"^/(?=[A-Za-z]:)", "", path) if sys.platform == "win32" else path)


def read_plain_file(path: Path, max_bytes: int) -> bytes | None:
    """Return the bytes of a regular file; None for any other kind, or a larger file. Raises OSError.

    A repository may contain pipes and devices under any name; opening or reading one must not block.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    handle = os.open(path, flags)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > max_bytes:
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
        return data if len(data) <= max_bytes else None
    finally:
        os.close(handle)


def private_folder(path: Path) -> Path:
    """Create a folder that only this user can enter, and return it.

    Raises PermissionError if the folder is a link, belongs to another user, or is writable by others.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise PermissionError(f"{path} is not a private folder of this user")
    return path


def private_temporary_folder(name: str) -> Path:
    """Create this user's private temporary folder of that name; the same at each call."""
    # On Windows every user has their own temporary folder.
    if sys.platform != "win32":
        name = f"{name}-{os.getuid()}"
    return private_folder(Path(tempfile.gettempdir()) / name)


def provide_home() -> None:
    """Point HOME at a private temporary folder if this account has no home folder.

    Otherwise `~` would name a folder below the current one, which may be a cloned repository.
    """
    if sys.platform == "win32":
        return
    if not os.path.isabs(os.environ.get("HOME", os.sep)):
        del os.environ["HOME"]  # the account's own counts
    if not os.path.isabs(os.path.expanduser("~")):
        os.environ["HOME"] = _temporary_home()


def temporary_home() -> str:
    """Return the folder that `provide_home` uses in place of a home folder, "" if there is a real one."""
    home = os.environ.get("HOME", "")
    return home if os.path.basename(home).startswith(_HOME_NAME) or home == os.devnull else ""


def _temporary_home() -> str:
    try:
        if tempfile.gettempdir() != os.getcwd():  # its last resort
            try:
                return str(private_temporary_folder(_HOME_NAME))
            except PermissionError:  # another account created a folder of that name
                return tempfile.mkdtemp(prefix=f"{_HOME_NAME}-")
    except OSError:
        pass
    return os.devnull  # in which nothing can be kept


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 atomically; its folder must exist."""
    # mkstemp opens with mode 0600 and O_EXCL, so no moment exists at which others can read it.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def make_private(path: Path) -> None:
    """Create a file of mode 0600 unless it exists; raises OSError, also if it is not a regular file."""
    os.close(_make_private(path))


def _make_private(path: Path) -> int:
    # O_NONBLOCK: opening a pipe of this name must not block.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = _open_private(str(path), flags)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(errno.EINVAL, "it is not a regular file")


@contextlib.contextmanager
def locked_file(path: Path, wait_s: float) -> Iterator[IO[bytes]]:
    """Open a regular file for reading and writing, locked against other processes; a new one has mode 0600.

    Raises OSError, among them TimeoutError if another process holds the lock for more than `wait_s` seconds.
    """
    with os.fdopen(_make_private(path), "r+b", buffering=0) as file:
        give_up_at = time.monotonic() + wait_s
        while not _try_lock(file):
            if time.monotonic() > give_up_at:
                raise TimeoutError(errno.ETIMEDOUT, "another process has locked it")
            time.sleep(LOCK_POLL_S)
        yield file


def _try_lock(file: IO[bytes]) -> bool:
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):
        return False
    return True


class FileLock:
    """A lock between processes, which the system releases when its holder ends for any reason."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def try_acquire(self) -> bool:
        """Acquire the lock if it is free; raises OSError if the file cannot be opened."""
        if self._file is not None:
            return True
        # Closed in `release`. The file is never removed: a lock on a removed file would exclude no other process.
        file = open(self._path, "ab", opener=_open_private)  # noqa: SIM115
        if not _try_lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        # flock and not lockf: a POSIX lock is lost when any other descriptor of the file is closed.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
