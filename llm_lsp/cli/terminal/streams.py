"""The process's own streams, made fit for what a shell may give it: closed ones, narrow ones, full ones."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def safe_streams() -> Iterator[None]:
    """Run a command with streams that are open and can show any text.

    What cannot be written ends the command with one line, or with none if the reader has gone.
    """
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding, or a name of bytes that are no text, is shown with escapes.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as exc:
        _forget_output()
        if exc.errno != errno.EPIPE:
            _say(f"Error: {exc.strerror or exc}{f': {exc.filename!r}' if exc.filename else ''}")
        raise SystemExit(1) from exc


def _open_closed() -> None:
    # In the order of their numbers, so that each gets its own, and no other file becomes standard output.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _forget_output() -> None:
    """Throw away what is left: the interpreter writes it once more at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _say(line: str) -> None:
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
