"""Bodies become the same events, whatever the pieces they come in."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.errors import BrokenStreamError
from llm_lsp.providers.http import event_splitters as sse
from llm_lsp.providers.http.event_splitters import (
    AnySplitter,
    Framing,
    NdjsonSplitter,
    Splitter,
    SseSplitter,
    WholeBody,
)
from tests.providers.http.splitting import read

SSE = [
    pytest.param(b"data: a\n\n", [b"a"], id="with a blank"),
    pytest.param(b"data:a\n\n", [b"a"], id="without a blank"),
    pytest.param(b"data:  a \n\n", [b" a "], id="only one blank is dropped"),
    pytest.param(b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [b"a", b"b", b"c"], id="all three line ends"),
    pytest.param(b"data: a\ndata: b\n\n", [b"a\nb"], id="several lines are one event"),
    pytest.param(b": ping\n\ndata: a\n: ping\n\n", [b"a"], id="comments are dropped"),
    pytest.param(b"event: x\nid: 1\nretry: 9\ndata: a\n\n", [b"a"], id="other fields are dropped"),
    pytest.param(b"database: a\n\n", [], id="a longer field name is another field"),
    pytest.param(b"data\n\ndata:\n\n", [], id="empty data is no event"),
    pytest.param(b"\n\n\ndata: a\n\n", [b"a"], id="blank lines before the first event"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [b"a"], id="byte order mark"),
    pytest.param("data: \u2028\u2029\x85\x0c\x0b\x1c\n\n".encode(), ["\u2028\u2029\x85\x0c\x0b\x1c".encode()],
                 id="what str.splitlines cuts is part of the data"),
    pytest.param(b"data: a\n\ndata: b", [b"a", b"b"], id="the last event needs no end"),
    pytest.param(b"data: a\n", [b"a"], id="nor a blank line"),
    pytest.param(b"", [], id="nothing"),
]  # fmt: skip

NDJSON = [
    pytest.param(b"{}\n[]\n", [b"{}", b"[]"], id="lines"),
    pytest.param(b"{}\r\n\n  \n[]", [b"{}", b"[]"], id="blank lines and no last end"),
    pytest.param('{"a":"\u2028"}\n'.encode(), ['{"a":"\u2028"}'.encode()], id="U+2028 is data"),
    pytest.param(b"\xef\xbb\xbf{}\n", [b"{}"], id="byte order mark"),
]


@pytest.mark.parametrize(("body", "events"), SSE)
def test_sse_gives_the_data_of_each_event(body: bytes, events: list[bytes]) -> None:
    assert read(SseSplitter(), body) == events


@pytest.mark.parametrize(("body", "events"), NDJSON)
def test_ndjson_gives_each_line(body: bytes, events: list[bytes]) -> None:
    assert read(NdjsonSplitter(), body) == events


# Bytes that mean something to a splitter, and some that do not.
BODIES = st.lists(
    st.sampled_from(
        [
            b"data:",
            b"data: x",
            b"data",
            b":",
            b"\n",
            b"\r",
            b"\r\n",
            b"\xef\xbb\xbf",
            b"{",
            b'{"a":1}',
            b" ",
            b"<",
        ]
    )
).map(b"".join)


@pytest.mark.parametrize(
    "make",
    [SseSplitter, NdjsonSplitter, WholeBody, lambda: AnySplitter("sse"), lambda: AnySplitter("ndjson")],
)
@given(body=BODIES, cuts=st.lists(st.integers(0, 80)))
def test_the_pieces_do_not_matter(make: Callable[[], Splitter], body: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> list[bytes] | str:
        try:
            return read(make(), *pieces)
        except BrokenStreamError as exc:
            return str(exc)

    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    assert outcome(pieces) == outcome([body])


def test_events_are_given_as_soon_as_they_are_whole() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: a\n\ndata: ") == [b"a"]
    assert splitter.feed(b"b\r\n\r") == [b"b"]
    assert splitter.feed(b"\ndata: c\n\n") == [b"c"]


@pytest.mark.parametrize(
    ("make", "piece"),
    [
        pytest.param(SseSplitter, b"x" * 65536, id="a line without end"),
        pytest.param(SseSplitter, b"data: " + b"x" * 60000 + b"\n", id="an event without end"),
        pytest.param(SseSplitter, b": ping\n" * 1000, id="comments without end"),
        pytest.param(SseSplitter, b"data: x\n\n" * 1000, id="events without end"),
        pytest.param(NdjsonSplitter, b"{}\n" * 1000, id="lines without end"),
        pytest.param(NdjsonSplitter, b"x" * 65536, id="a line of JSON without end"),
        pytest.param(WholeBody, b"x" * 65536, id="a value without end"),
    ],
)
def test_an_answer_without_end_is_cut_off(make: Callable[[], Splitter], piece: bytes) -> None:
    splitter = make()
    with pytest.raises(BrokenStreamError):
        for _ in range(2 * sse.MAX_BODY_BYTES // len(piece)):
            splitter.feed(piece)


@pytest.mark.parametrize(
    ("framing", "body", "events"),
    [
        pytest.param("sse", b'{"a":\n1}\n', [b'{"a":\n1}'], id="JSON where events were due"),
        pytest.param("sse", b'\n\n {"a":1}', [b'{"a":1}'], id="after blank lines, as DeepSeek queues"),
        pytest.param("sse", b"[1]", [b"[1]"], id="a list"),
        pytest.param("sse", b": queued\n\ndata: {}\n\n", [b"{}"], id="events"),
        pytest.param("ndjson", b"{}\n{}\n", [b"{}", b"{}"], id="lines"),
    ],
)
def test_a_body_is_known_by_its_beginning(framing: Framing, body: bytes, events: list[bytes]) -> None:
    assert read(AnySplitter(framing), body) == events


def test_a_web_page_is_no_answer() -> None:
    with pytest.raises(BrokenStreamError, match="web page"):
        AnySplitter("sse").feed(b"\n <!DOCTYPE html>")
