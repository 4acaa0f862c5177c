"""Prepares the process's standard streams: closed, narrowly encoded or full ones must not break a command."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def safe_streams() -> Iterator[None]:
    """Run a command with streams that are open and can print any text.

    A failed write ends the command with one line, or silently if the reader has closed the pipe.
    """
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Characters that the terminal's encoding lacks, and undecodable bytes in file names, are printed as
            # escapes.
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
    # In the order of their descriptors, so that no file opened later becomes standard output.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _forget_output() -> None:
    """Discard unwritten output, which the interpreter would otherwise try to write again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _say(line: str) -> None:
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
