"""Reads and writes messages as bytes, each in its own thread.

Threads are needed because only POSIX systems can read a pipe without blocking, and because a client that stops
reading must not block us (pygls 2.1.1 writes from its event loop, which then blocks).
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

from llm_lsp.errors import FramingError
from llm_lsp.lsp.oversized_messages import KEPT_BYTES, OversizedMessage

# Bytes. The longest document that is completed (core.trigger.MAX_DOCUMENT_CHARS) takes 120 MB if its client writes
# each character as a \uXXXX escape; a test keeps the two limits consistent.
MAX_MESSAGE_BYTES = 128 * 1024 * 1024
# Bytes read at once when skipping a message: the size of a Linux pipe buffer.
_PIECE_BYTES = 64 * 1024
# Bytes. Real headers have about 20; a longer line is not LSP, and must not fill the memory.
MAX_HEADER_BYTES = 4096
MAX_HEADERS = 32
# Bytes queued for a client that does not read; the server ends if there are more.
MAX_WAITING_BYTES = 64 * 1024 * 1024


def read_message(stream: BinaryIO) -> bytes | OversizedMessage | None:
    """Read the body of one message, skipping one that is too long; None if the input has ended.

    Accepts header names in any case and lines ending in LF alone, like other servers. Raises FramingError if the
    bytes are not a message: after a wrong length, the start of the next message cannot be found.
    """
    length = _read_length(stream)
    if length is None:
        return None
    return _read(stream, length) if length <= MAX_MESSAGE_BYTES else _read_past(stream, length)


def _read(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length)
    if len(body) < length:
        raise FramingError("the input ended within a message")
    return body


def _read_past(stream: BinaryIO, length: int) -> OversizedMessage:
    head = tail = _read(stream, KEPT_BYTES)
    left = length - len(head)
    while left:
        piece = _read(stream, min(left, _PIECE_BYTES))
        left -= len(piece)
        tail = (tail + piece)[-KEPT_BYTES:]
    return OversizedMessage(length, head, tail)


def _read_length(stream: BinaryIO) -> int | None:
    length: int | None = None
    for _ in range(MAX_HEADERS):
        line = stream.readline(MAX_HEADER_BYTES)
        if not line:
            return None
        if not line.endswith(b"\n"):
            raise FramingError("a header line is too long, or the input ended within it")
        if line.strip():
            length = _parse_header(line, length)
        elif length is not None:
            return length
    raise FramingError(f"no Content-Length within {MAX_HEADERS} header lines")


def _parse_header(line: bytes, length: int | None) -> int | None:
    name, colon, value = line.partition(b":")
    name = name.strip().lower()
    if not colon or not name.replace(b"-", b"").isalnum():
        raise FramingError("the input is not LSP: a header line has no name and value")
    if name != b"content-length":
        return length
    digits = value.strip()
    # bytes.isdigit() accepts ASCII digits only. More than ten digits, 10 GB, cannot be a real length.
    if not digits.isdigit() or len(digits) > 10:
        raise FramingError("Content-Length is not a number of at most ten digits")
    if length is not None and length != int(digits):
        raise FramingError("a message has two Content-Length headers")
    return int(digits)


def start_reading(
    stream: BinaryIO,
    deliver: Callable[[bytes | OversizedMessage], None],
    on_end: Callable[[FramingError | None], None],
) -> None:
    """Read messages in a thread until the input ends; both functions are called in that thread.

    `on_end` is called once, with the error that ended the reading, or None if the input ended normally.
    """

    def read() -> None:
        failure: FramingError | None = None
        try:
            while (body := read_message(stream)) is not None:
                deliver(body)
        except FramingError as exc:
            failure = exc
        except (OSError, ValueError):
            pass  # the pipe broke or was closed: the client is gone, which is a normal end
        on_end(failure)

    # A daemon thread: it is blocked in a read that cannot be interrupted, and must not keep the process alive.
    Thread(target=read, name="lsp-input", daemon=True).start()


class _Room:
    """Tells whether a pipe accepts a message without blocking."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._poll = select.poll()
        self._poll.register(handle, select.POLLOUT)

    @classmethod
    def of(cls, stream: BinaryIO) -> _Room | None:
        """Return it for a stream with a file descriptor, if the system can report that."""
        try:
            return cls(stream.fileno()) if hasattr(select, "poll") else None
        except (OSError, ValueError):
            return None

    def has(self, length: int) -> bool:
        """Check whether so many bytes can be written at once: a writable pipe accepts PIPE_BUF (POSIX, pipe(7))."""
        return length <= select.PIPE_BUF and bool(self._poll.poll(0))


class Outbox:
    """Writes messages in order. `write` never blocks: what does not fit into the pipe is written by a thread."""

    def __init__(self, stream: BinaryIO, on_failure: Callable[[str], None]) -> None:
        """`on_failure` is called once, with a reason and in any thread, when nothing can be sent any more."""
        self._stream = stream
        self._on_failure = on_failure
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        # Two counters with one writer each need no lock: this one is the caller's, the other the thread's.
        self._queued_bytes = 0
        self._written_bytes = 0
        self._broken = False
        self._room = _Room.of(stream)
        self._thread = Thread(target=self._run, name="lsp-output", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send bytes, or queue them; they are dropped if the client is gone."""
        if self._broken or (self._queued_bytes == self._written_bytes and self._sent_at_once(data)):
            return
        if self._queued_bytes - self._written_bytes + len(data) > MAX_WAITING_BYTES:
            self._fail("the client has stopped reading")
            return
        self._queued_bytes += len(data)
        self._queue.put(data)

    def _sent_at_once(self, data: bytes) -> bool:
        """Write what fits without blocking: the thread would run only when the event loop is idle."""
        if self._room is None or not self._room.has(len(data)):
            return False
        try:
            os.write(self._room.handle, data)
        except OSError:
            self._fail("the client closed the connection")
        return True

    def close(self, timeout_s: float) -> None:
        """Write queued messages for at most `timeout_s` seconds."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, ValueError):
                self._fail("the client closed the connection")
                return
            self._written_bytes += len(data)

    def _fail(self, reason: str) -> None:
        if not self._broken:
            self._broken = True
            self._on_failure(reason)


def claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Reserve standard input and output for the protocol.

    From now on, output of libraries and child processes goes to standard error, and their input is empty: a stray
    `print` would break the framing, and a child that holds our input open would hide its end.
    """
    # Duplicated descriptors are not inherited by children (PEP 446).
    stdin = os.fdopen(os.dup(0), "rb")
    stdout = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stdin, stdout
