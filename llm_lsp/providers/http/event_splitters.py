"""Cut a body into events, from bytes in any pieces: SSE, NDJSON, or one whole value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, Protocol

from llm_lsp.errors import BrokenStreamError

# Longest line, and longest answer in one piece. llama.cpp repeats the whole prompt in its last event; the longest other
# line seen is below 2 KiB.
MAX_LINE_BYTES = 256 * 1024
# `max_tokens` is at most 8192 and most APIs send one event a token: this is twice as many.
MAX_EVENTS = 16_384
# An OpenAI-shaped event takes 200 to 350 bytes: 8192 of them and the same again in comments and pings.
MAX_BODY_BYTES = 6 * 1024 * 1024

# Only these end a line: `str.splitlines` and httpx's `aiter_lines` also cut at U+2028, U+2029 and U+0085,
# which are legal in JSON strings. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


Framing = Literal["sse", "ndjson"]


class Splitter(Protocol):
    """Takes pieces of a body and gives the data of whole events; raises BrokenStreamError over a cap."""

    def feed(self, piece: bytes) -> list[bytes]: ...

    def end(self) -> list[bytes]:
        """Return what comes after the last end mark; the body is over."""
        ...


class LineSplitter:
    """Whole lines of a body, whatever the pieces; what both framings stand on."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._n_bytes = 0
        self._n_events = 0
        self._after_cr = False

    def lines(self, piece: bytes) -> Iterator[bytes]:
        """Return the lines that end in `piece`, without their ends."""
        self._n_bytes += len(piece)
        if self._n_bytes > MAX_BODY_BYTES:
            raise BrokenStreamError(f"the answer is over {MAX_BODY_BYTES >> 20} MiB")
        if self._after_cr and piece:
            # A "\r" ended a line at once; the "\n" of the same line end may come with the next piece.
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        start = 0
        for end in _LINE_END.finditer(piece):
            yield self._whole(piece[start : end.start()])
            start = end.end()
        self._rest += piece[start:]
        self._check_length(len(self._rest))
        self._after_cr = piece.endswith(b"\r")

    def rest(self) -> bytes:
        """Return the last line if no end mark followed it."""
        return self._whole(b"")

    def count(self) -> None:
        """Count one event against the cap."""
        self._n_events += 1
        if self._n_events > MAX_EVENTS:
            raise BrokenStreamError(f"the answer has over {MAX_EVENTS} events")

    def _whole(self, tail: bytes) -> bytes:
        line = bytes(self._rest) + tail if self._rest else tail
        self._rest.clear()
        self._check_length(len(line))
        return line

    def _check_length(self, n_bytes: int) -> None:
        if n_bytes > MAX_LINE_BYTES:
            raise BrokenStreamError(f"the answer has a line of over {MAX_LINE_BYTES >> 10} KiB")


class SseSplitter:
    """Server-sent events: the `data` of each, several lines joined by line feeds, empty ones left out.

    Comments, names and ids are dropped. Unlike in a browser, data without the closing blank line counts:
    some servers end after `data: [DONE]`.
    """

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._data: list[bytes] = []
        self._n_bytes = 0
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        events: list[bytes] = []
        for line in self._lines.lines(piece):
            self._take(line, events)
        return events

    def end(self) -> list[bytes]:
        events: list[bytes] = []
        self._take(self._lines.rest(), events)
        self._take(b"", events)
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if self._at_start:
            line = line.removeprefix(_BOM)
            self._at_start = False
        if line.startswith(b"data:"):
            self._add(line[6:] if line[5:6] == b" " else line[5:])
        elif not line and self._data:
            event = b"\n".join(self._data)
            self._data.clear()
            self._n_bytes = 0
            if event:
                self._lines.count()
                events.append(event)

    def _add(self, data: bytes) -> None:
        self._n_bytes += len(data)
        if self._n_bytes > MAX_LINE_BYTES:
            raise BrokenStreamError(f"the answer has an event of over {MAX_LINE_BYTES >> 10} KiB")
        self._data.append(data)


class NdjsonSplitter:
    """One JSON value a line; blank lines are left out."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        return [line for raw in self._lines.lines(piece) if (line := self._strip(raw))]

    def end(self) -> list[bytes]:
        line = self._strip(self._lines.rest())
        return [line] if line else []

    def _strip(self, line: bytes) -> bytes:
        if self._at_start:
            line = line.removeprefix(_BOM)
            self._at_start = False
        line = line.strip(b" \t")
        if line:
            self._lines.count()
        return line


class WholeBody:
    """One value that comes as a whole, whatever lines it has."""

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        self._body += piece
        if len(self._body) > MAX_LINE_BYTES:
            raise BrokenStreamError(f"the answer in one piece is over {MAX_LINE_BYTES >> 10} KiB")
        return []

    def end(self) -> list[bytes]:
        body = bytes(self._body).strip()
        return [body] if body else []


class AnySplitter:
    """Finds out by the first character what a body is: content types are wrong too often to be asked.

    JSON where events are due is a whole, unstreamed answer; a web page is a captive portal or a wrong address.
    """

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._inner: Splitter | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the body is one value, whose end needs no mark."""
        return isinstance(self._inner, WholeBody)

    def feed(self, piece: bytes) -> list[bytes]:
        if self._inner is not None:
            return self._inner.feed(piece)
        # DeepSeek sends blank lines while a request is queued. One set of bytes, so that the pieces do not matter.
        head = piece.lstrip(b" \t\r\n" + _BOM)
        if not head:
            return []
        self._inner = self._choose(head[:1])
        return self._inner.feed(head)

    def end(self) -> list[bytes]:
        return self._inner.end() if self._inner is not None else []

    def _choose(self, first: bytes) -> Splitter:
        if first == b"<":
            raise BrokenStreamError("it answers with a web page: sign in to the network, or check base_url")
        if self._framing == "ndjson":
            return NdjsonSplitter()
        return WholeBody() if first in (b"{", b"[") else SseSplitter()
