"""Any bytes at all on the input: messages come as they were framed, and nothing else gets through or raises."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llm_lsp.errors import FramingError
from llm_lsp.lsp import message_streams as streams
from llm_lsp.lsp.message_streams import MAX_HEADER_BYTES, MAX_HEADERS, read_message
from llm_lsp.lsp.oversized_messages import KEPT_BYTES, OversizedMessage
from tests.fuzz.examples import fuzzed
from tests.lsp.fakes import started

BODIES = st.binary(max_size=40) | st.sampled_from([b"{}", b"", b"\r\n\r\n", b"Content-Length: 3\r\n\r\n"])
ENDS = st.sampled_from([b"\r\n", b"\n"])
OTHER_HEADERS = st.sampled_from([b"", b"Content-Type: x; charset=utf-8", b"X-More:", b"x-a:b:c"])


@st.composite
def framed(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a body, and a frame with it as a client might write it."""
    body, end = draw(BODIES), draw(ENDS)
    name = draw(st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-LENGTH"]))
    length = name + draw(st.sampled_from([b":", b": ", b":\t "])) + b"%d" % len(body)
    headers = [length, *(other for other in [draw(OTHER_HEADERS)] if other)]
    return body, end.join([*draw(st.permutations(headers)), b"", b""]) + body


@fuzzed
@given(st.lists(framed(), max_size=5))
def test_however_messages_are_framed_their_bodies_come(frames: list[tuple[bytes, bytes]]) -> None:
    stream = io.BytesIO(b"".join(frame for _, frame in frames))

    assert list(iter(lambda: read_message(stream), None)) == [body for body, _ in frames]


class Counted(io.BytesIO):
    """Counts what is asked of it at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        self.most = max(self.most, size)
        return super().read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        self.most = max(self.most, size)
        return super().readline(size)


PIECES = st.sampled_from(
    [
        b"Content-Length: ",
        b"2",
        b"99999999999",
        b"-1",
        b" ",
        b":",
        b"\r\n",
        b"\n",
        b"\r",
        b"{}",
        b"\0",
        b"\xff",
    ]
)


@fuzzed
@given(st.lists(PIECES | st.binary(max_size=8), max_size=60).map(b"".join))
@example(b"Content-Length: 1\r\n" * (MAX_HEADERS + 1))
@example(b"Content-Length: " + b"1" * 2 * MAX_HEADER_BYTES)
@example(b"Content-Length: 9999999999\r\n\r\n{}")
def test_any_bytes_are_messages_or_end_the_reading(data: bytes) -> None:
    stream = Counted(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "MAX_MESSAGE_BYTES", 3 * KEPT_BYTES)
        try:
            while (message := read_message(stream)) is not None:
                assert isinstance(message, OversizedMessage) or message in data
        except FramingError as exc:
            assert "\n" not in str(exc)
    assert stream.most <= streams._PIECE_BYTES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]), inner)
    ),
    max_leaves=6,
)


@fuzzed
@given(st.binary(max_size=30) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b'{"id": 1e400, "method": "shutdown"}')
@example(b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}')
def test_any_body_has_at_most_one_answer(body: bytes) -> None:
    answers = started("x = ").raw(body)

    assert len([answer for answer in answers if "method" not in answer]) <= 1
