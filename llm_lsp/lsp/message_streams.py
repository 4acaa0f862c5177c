"""Reads and writes messages as bytes, each on a thread of its own.

Threads, because a pipe can be read without blocking on no system but POSIX, and because a client that stops
reading must not stop us (pygls 2.1.1 writes from its event loop, which then stands still).
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

# Bytes. The longest document that is completed (core.trigger.MAX_DOCUMENT_CHARS) needs 120 MB where its client
# writes each character as a \uXXXX; a test holds the two together.
MAX_MESSAGE_BYTES = 128 * 1024 * 1024
# Bytes read at once of a message that is thrown away: what a pipe holds on Linux.
_PIECE_BYTES = 64 * 1024
# Bytes. Real headers have about 20; a longer line is no LSP, and must not fill the memory.
MAX_HEADER_BYTES = 4096
MAX_HEADERS = 32
# Bytes that wait for a client that does not read; beyond it we end.
MAX_WAITING_BYTES = 64 * 1024 * 1024


def read_message(stream: BinaryIO) -> bytes | OversizedMessage | None:
    """Read the body of one message, past one that is too long; None where the input has ended.

    Header names in any case and lines that end with LF alone are taken, as other servers take them. Raises
    FramingError where the bytes are no message: what follows a wrong length cannot be found again.
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
        raise FramingError("the input is no LSP: a line where a header should be has no name and value")
    if name != b"content-length":
        return length
    digits = value.strip()
    # bytes.isdigit() is true for ASCII digits only. More than ten, 10 GB, are no length but a fault.
    if not digits.isdigit() or len(digits) > 10:
        raise FramingError("Content-Length is no number of at most ten digits")
    if length is not None and length != int(digits):
        raise FramingError("two lengths for one message")
    return int(digits)


def start_reading(
    stream: BinaryIO,
    deliver: Callable[[bytes | OversizedMessage], None],
    on_end: Callable[[FramingError | None], None],
) -> None:
    """Read messages on a thread until the input ends; both functions are called on that thread.

    `on_end` is called once, with the error that ended the reading, or None where the input simply ended.
    """

    def read() -> None:
        failure: FramingError | None = None
        try:
            while (body := read_message(stream)) is not None:
                deliver(body)
        except FramingError as exc:
            failure = exc
        except (OSError, ValueError):
            pass  # The pipe broke or was closed: the client is gone, which is an end like any other.
        on_end(failure)

    # A daemon: it stands in a read that nothing can interrupt, and must not keep the process.
    Thread(target=read, name="lsp-input", daemon=True).start()


class _Room:
    """Tells whether a pipe takes a message at once."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._poll = select.poll()
        self._poll.register(handle, select.POLLOUT)

    @classmethod
    def of(cls, stream: BinaryIO) -> _Room | None:
        """Return it for a stream with a handle, if the system can be asked."""
        try:
            return cls(stream.fileno()) if hasattr(select, "poll") else None
        except (OSError, ValueError):
            return None

    def has(self, length: int) -> bool:
        """Return whether so many bytes are written whole: a pipe that is ready takes PIPE_BUF (POSIX, pipe(7))."""
        return length <= select.PIPE_BUF and bool(self._poll.poll(0))


class Outbox:
    """Writes messages in order; `write` never waits: what the client's end has no room for goes to a thread."""

    def __init__(self, stream: BinaryIO, on_failure: Callable[[str], None]) -> None:
        """Write to this stream; `on_failure` is called with a reason, on any thread, once nothing can be sent any more."""
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
        """Send bytes, or queue them; they are dropped once the client is gone."""
        if self._broken or (self._queued_bytes == self._written_bytes and self._sent_at_once(data)):
            return
        if self._queued_bytes - self._written_bytes + len(data) > MAX_WAITING_BYTES:
            self._fail("the client does not read our answers")
            return
        self._queued_bytes += len(data)
        self._queue.put(data)

    def _sent_at_once(self, data: bytes) -> bool:
        """Write what fits without a wait: the thread would get its turn only when the event loop has none."""
        if self._room is None or not self._room.has(len(data)):
            return False
        try:
            os.write(self._room.handle, data)
        except OSError:
            self._fail("the client closed our output")
        return True

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most `timeout_s` seconds; a client that does not read gets no more time."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, ValueError):
                self._fail("the client closed our output")
                return
            self._written_bytes += len(data)

    def _fail(self, reason: str) -> None:
        if not self._broken:
            self._broken = True
            self._on_failure(reason)


def claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Reserve standard input and output for the protocol.

    What a library or a child process prints goes to standard error from now on, and they read nothing: a stray
    `print` would break the framing, and a child that holds our input would hide its end.
    """
    # Duplicates are not inherited by children (PEP 446).
    stdin = os.fdopen(os.dup(0), "rb")
    stdout = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stdin, stdout
