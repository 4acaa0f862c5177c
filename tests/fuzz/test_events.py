"""Events written in any of the ways that the rules allow, and cut anywhere, are the same events."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from llm_lsp.providers.http.event_splitters import AnySplitter, NdjsonSplitter, SseSplitter
from tests.fuzz.examples import fuzzed
from tests.providers.http.splitting import read

LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8).map(
    str.encode
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
NOISE = st.sampled_from([b": ping", b"event: x", b"id: 7", b"retry: 9", b"datax: y", b"unknown"])


@st.composite
def written(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Return events, and a body with them as a server might write it."""
    events, body, end = [], b"", draw(ENDS)
    for lines in draw(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=4)):
        for line in lines:
            blank = b" " if line.startswith(b" ") or draw(st.booleans()) else b""
            noise = draw(NOISE) + end if draw(st.booleans()) else b""
            body += noise + b"data:" + blank + line + end
        body += end * draw(st.integers(1, 2))
        events.append(b"\n".join(lines))
    return [event for event in events if event], body


def cut(body: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(each, len(body)) for each in at), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 200), max_size=12)


@fuzzed
@given(written(), CUTS)
@example(([b"a", b"b"], b"data:a\r\n\r\ndata:b\r\n\r\n"), [7, 9, 10])
def test_events_are_what_was_written(events_and_body: tuple[list[bytes], bytes], cuts: list[int]) -> None:
    events, body = events_and_body

    assert read(SseSplitter(), *cut(body, cuts)) == events


@fuzzed
@given(st.lists(st.sampled_from([b"{}", b"[1]", b'{"a": "b"}', "\u2028".encode()])), ENDS, CUTS)
def test_lines_are_what_was_written(lines: list[bytes], end: bytes, cuts: list[int]) -> None:
    assert read(NdjsonSplitter(), *cut(end.join(lines), cuts)) == lines


@fuzzed
@given(written(), CUTS)
def test_a_body_that_is_not_known_before_is_read_as_what_it_is(
    events_and_body: tuple[list[bytes], bytes], cuts: list[int]
) -> None:
    events, body = events_and_body

    assert read(AnySplitter("sse"), *cut(body, cuts)) == events
