"""Framing as other servers take it, and nothing else: what is no LSP ends the reading before it fills the memory."""

from __future__ import annotations

import io
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import BinaryIO

import pytest
from typing_extensions import Buffer

from llm_lsp.core.privacy.admission import MAX_DOCUMENT_CHARS
from llm_lsp.errors import FramingError
from llm_lsp.lsp import message_streams as streams
from llm_lsp.lsp.message_streams import MAX_MESSAGE_BYTES, Outbox, read_message, start_reading
from llm_lsp.lsp.oversized_messages import KEPT_BYTES, OversizedMessage
from tests.patience import PATIENCE_S


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Content-Length: 2\r\n\r\n{}", id="as the specification has it"),
        pytest.param(b"content-length: 2\r\n\r\n{}", id="lower case"),
        pytest.param(b"Content-Length:2\r\n\r\n{}", id="no space"),
        pytest.param(b"Content-Length: 2\n\n{}", id="LF only"),
        pytest.param(
            b"Content-Type: x; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}", id="another header first"
        ),
        pytest.param(b"Content-Length: 2\r\nX-More: y\r\n\r\n{}", id="another header last"),
        pytest.param(b"\r\n\nContent-Length: 2\r\n\r\n{}", id="empty lines before"),
        pytest.param(b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", id="the same length twice"),
    ],
)
def test_a_message_is_read(data: bytes) -> None:
    stream = io.BytesIO(data * 2)
    assert [read_message(stream), read_message(stream), read_message(stream)] == [b"{}", b"{}", None]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Content-Length: 99999999999\r\n\r\n", id="100 GB"),
        pytest.param(b"Content-Length: " + b"9" * 3000 + b"\r\n\r\n", id="3,000 digits"),
        pytest.param(b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", id="5,000 digits"),
        pytest.param(b"Content-Length: -2\r\n\r\n{}", id="negative"),
        pytest.param(b"Content-Length: +2\r\n\r\n{}", id="a sign"),
        pytest.param("Content-Length: ٢\r\n\r\n{}".encode(), id="digits of another script"),
        pytest.param(b"Content-Length: \r\n\r\n", id="no number"),
        pytest.param(b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b'{"jsonrpc":"2.0"}\r\n', id="JSON without a header"),
        pytest.param(b"X" * 100_000, id="an endless header line"),
        pytest.param(b"X: y\r\n" * 100, id="too many headers"),
        pytest.param(b"\r\n" * 100, id="nothing but empty lines"),
        pytest.param(b"Content-Length: 20\r\n\r\n{}", id="the end within a body"),
        pytest.param(b"Content-Len", id="the end within a header"),
    ],
)
def test_what_is_no_message_ends_the_reading(data: bytes) -> None:
    with pytest.raises(FramingError):
        read_message(io.BytesIO(data))


def test_a_refused_length_reads_nothing_of_the_body() -> None:
    stream = io.BytesIO(b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100)
    with pytest.raises(FramingError):
        read_message(stream)
    assert stream.read() == b"\r\n" + b"x" * 100


def test_a_message_that_is_too_long_is_read_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_MESSAGE_BYTES", 100_000)
    body = b"a" * KEPT_BYTES + b"-" * 100_000 + b"z" * KEPT_BYTES
    stream = io.BytesIO(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) + b"Content-Length: 2\r\n\r\n{}")
    assert read_message(stream) == OversizedMessage(len(body), b"a" * KEPT_BYTES, b"z" * KEPT_BYTES)
    assert [read_message(stream), read_message(stream)] == [b"{}", None]


def test_the_end_within_a_message_that_is_too_long_is_an_end_within_a_message() -> None:
    with pytest.raises(FramingError, match="within a message"):
        read_message(io.BytesIO(b"Content-Length: 9999999999\r\n\r\n" + b"x" * 100_000))


def test_the_longest_document_that_is_completed_is_no_message_that_is_too_long() -> None:
    assert len("\\uXXXX") * MAX_DOCUMENT_CHARS + KEPT_BYTES < MAX_MESSAGE_BYTES


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as incoming, os.fdopen(write, "wb") as outgoing:
        yield incoming, outgoing


def test_messages_arrive_in_order_although_they_come_byte_by_byte() -> None:
    bodies: list[bytes | OversizedMessage] = []
    ends: SimpleQueue[FramingError | None] = SimpleQueue()
    with pipe() as (incoming, outgoing):
        start_reading(incoming, bodies.append, ends.put)
        for number in range(20):
            for byte in b"Content-Length: 2\r\n\r\n%02d" % number:
                outgoing.write(bytes([byte]))
                outgoing.flush()
        outgoing.close()
        assert ends.get(timeout=PATIENCE_S) is None
    assert bodies == [b"%02d" % number for number in range(20)]


def test_broken_framing_is_the_last_that_is_said_of_the_input() -> None:
    ends: SimpleQueue[FramingError | None] = SimpleQueue()
    with pipe() as (incoming, outgoing):
        start_reading(incoming, lambda body: None, ends.put)
        outgoing.write(b"GET / HTTP/1.1\r\n\r\n")
        outgoing.flush()
        assert isinstance(ends.get(timeout=PATIENCE_S), FramingError)
    assert ends.empty()


class Stuck(io.BytesIO):
    """The pipe of a client that does not read until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.freed = threading.Event()

    def write(self, data: Buffer) -> int:
        assert self.freed.wait(PATIENCE_S)
        return super().write(data)


class Closed(io.BytesIO):
    """The pipe of a client that is gone."""

    def write(self, data: Buffer) -> int:
        raise BrokenPipeError


def test_writing_does_not_wait_for_a_client_that_does_not_read() -> None:
    failures: list[str] = []
    stream = Stuck()
    outbox = Outbox(stream, failures.append)
    for number in range(10):
        outbox.write(b"%d" % number)
    outbox.close(timeout_s=0)
    assert (stream.getvalue(), failures) == (b"", [])
    stream.freed.set()
    outbox.close(timeout_s=10)
    assert stream.getvalue() == b"0123456789"


def test_what_fits_a_pipe_is_there_at_once_and_nothing_overtakes() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as client, open(writing, "wb") as stream:
        outbox = Outbox(stream, lambda reason: None)
        outbox.write(b"first")
        assert select.select([client], [], [], 0)[0]
        sent = [b"first", *(b"%d" % number * 5000 for number in range(30)), b"last"]
        for data in sent[1:]:
            outbox.write(data)
        assert client.read(sum(map(len, sent))) == b"".join(sent)
        outbox.close(timeout_s=10)


def test_a_client_that_never_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_WAITING_BYTES", 10)
    failures: list[str] = []
    stream = Stuck()
    outbox = Outbox(stream, failures.append)
    for _ in range(5):
        outbox.write(b"four")
    assert failures == ["the client has stopped reading"]
    stream.freed.set()
    outbox.close(timeout_s=10)


def test_a_client_that_closed_its_end_is_noticed_once() -> None:
    failures: list[str] = []
    outbox = Outbox(Closed(), failures.append)
    outbox.write(b"x")
    outbox.close(timeout_s=10)
    outbox.write(b"y")
    assert failures == ["the client closed the connection"]
