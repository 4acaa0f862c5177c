"""A program in a terminal of our own, and the contents of its cells.

The cells are kept by pyte, which reads a terminal's escape sequences as a terminal does.
"""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path

import pyte

from tests.patience import PATIENCE_S

COLUMNS, ROWS = 80, 16

KEYS = {
    "Escape": b"\x1b",
    "Tab": b"\t",
    "Enter": b"\r",
    "Backspace": b"\x7f",
    "Left": b"\x1b[D",
}
"""Keys with a name; `C-x` and `M-x` are made of their letter, and anything else is typed as it is."""

# What pyte 0.8.2 takes for text or for colours: device control strings, and the private sequences by which an editor
# asks for a keyboard protocol. Each is a question or a wish that a plain terminal leaves alone.
_NOT_FOR_PYTE = re.compile(
    rb"\x1bP.*?\x1b\\|\x1b\[[<=>][\d;]*[a-zA-Z]|\x1b\[\?[\d;]*[mnu]|\x1b\[\??[\d;]*\$p", re.DOTALL
)
_UNFINISHED = re.compile(rb"\x1b(\[[\d;?<=>$]*|P[^\x1b]*\x1b?)?$")


class _Screen(pyte.Screen):
    """Answers what a program asks its terminal."""

    def __init__(self, answer: Callable[[bytes], object]) -> None:
        super().__init__(COLUMNS, ROWS)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())


@dataclass(frozen=True, slots=True)
class Terminal:
    """A running program."""

    screen: pyte.Screen
    _stream: pyte.ByteStream
    _fd: int
    _unread: bytearray = field(default_factory=bytearray)
    """The beginning of a sequence whose end is still to come."""

    def type(self, *keys: str) -> None:
        """Press each of these: a key's name, `C-` or `M-` with a letter, or text."""
        for key in keys:
            os.write(self._fd, _bytes(key))
            self.pump(0.02)

    def pump(self, for_s: float) -> None:
        """Read what the program writes, for this long."""
        end = time.monotonic() + for_s
        while select.select([self._fd], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:  # on Linux the end of a terminal is an error
                return
            data = bytes(self._unread) + data
            end_of_whole = match.start() if (match := _UNFINISHED.search(data)) else len(data)
            self._unread[:] = data[end_of_whole:]
            self._stream.feed(_NOT_FOR_PYTE.sub(b"", data[:end_of_whole]))

    def rows(self) -> list[str]:
        """Return each row, without trailing blanks."""
        self.pump(0.02)
        return [row.rstrip() for row in self.screen.display]

    def wait(self, holds: Callable[[list[str]], object], timeout_s: float = PATIENCE_S) -> list[str]:
        """Wait until this holds of the rows, and give them; fail with what is there when the time is up."""
        end = time.monotonic() + timeout_s
        while not holds(rows := self.rows()):
            assert time.monotonic() < end, "the screen shows:\n" + "\n".join(rows)
        return rows

    def wait_for(self, text: str, timeout_s: float = PATIENCE_S) -> list[str]:
        """Wait until this text, of one line or several, is on the screen."""
        return self.wait(lambda rows: text in "\n".join(rows), timeout_s)


def _bytes(key: str) -> bytes:
    if key in KEYS:
        return KEYS[key]
    if re.fullmatch(r"C-.", key):
        return bytes([ord(key[2].upper()) & 0x1F])
    if re.fullmatch(r"M-.", key):
        return b"\x1b" + key[2].encode()
    return key.encode()


@contextmanager
def terminal(argv: Sequence[str], home: Path, commands: Path, **variables: str) -> Iterator[Terminal]:
    """Run a program in a home of its own, with `commands` first on its path."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    # setsid makes it the process's own terminal, which Emacs opens by the name /dev/tty.
    with subprocess.Popen(
        ["setsid", "--ctty", *argv],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=home,
        env={**environment(home, commands), **variables},
    ) as process:
        os.close(theirs)
        screen = _Screen(lambda data: os.write(ours, data))
        try:
            yield Terminal(screen, pyte.ByteStream(screen), ours)
        finally:
            process.kill()  # an editor that is asked to end saves first, for seconds
            os.close(ours)


def environment(home: Path, commands: Path) -> Mapping[str, str]:
    """Return the environment variables of a user with this home folder and no settings."""
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return {"HOME": str(home), "PATH": path, "TERM": "xterm-256color", "LANG": "C.UTF-8", **folders}
