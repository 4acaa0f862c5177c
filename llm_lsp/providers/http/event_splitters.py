"""Splits a response body into events: SSE, NDJSON, or a single value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, Protocol

from llm_lsp.errors import BrokenStreamError

# Bytes in a line, and in an unstreamed answer. llama.cpp repeats the whole prompt in its last event; all other lines
# seen are below 2 KiB.
MAX_LINE_BYTES = 256 * 1024
# Twice the highest `max_tokens`, since most APIs send one event per token.
MAX_EVENTS = 16_384
# Bytes. An OpenAI-compatible event takes 200 to 350: 8192 of them, and as much again for comments and pings.
MAX_BODY_BYTES = 6 * 1024 * 1024

# The only line ends. `str.splitlines` and httpx's `aiter_lines` also split at U+2028, U+2029 and U+0085, which are
# valid in JSON strings. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


Framing = Literal["sse", "ndjson"]


class Splitter(Protocol):
    """Takes pieces of a body, and returns the data of whole events; raises BrokenStreamError above a limit."""

    def feed(self, piece: bytes) -> list[bytes]: ...

    def end(self) -> list[bytes]:
        """Return what follows the last end marker; the body is over."""
        ...


class LineSplitter:
    """Splits a body into whole lines, however it is divided into pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._n_bytes = 0
        self._n_events = 0
        self._after_cr = False

    def lines(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that end in `piece`, without their line ends."""
        if not piece:
            return  # It says nothing of the line end before it.
        self._n_bytes += len(piece)
        if self._n_bytes > MAX_BODY_BYTES:
            raise BrokenStreamError(f"the answer is over {MAX_BODY_BYTES >> 20} MiB")
        if self._after_cr:
            # A "\r" ends a line immediately; the "\n" of the same line end may come with the next piece.
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
        """Return the last line if it has no line end."""
        return self._whole(b"")

    def count(self) -> None:
        """Count one event towards the limit."""
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
    """Splits server-sent events: the `data` of each, with several lines joined by line feeds; empty ones are
    left out.

    Comments, names and ids are dropped. Unlike in browsers, data without the closing blank line counts, because
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
    """Splits lines with one JSON value each; blank lines are left out."""

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
    """A single value, which may span several lines."""

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
    """Detects the format from the first character, because content types are often wrong.

    JSON instead of events is a whole, unstreamed answer; a web page is a captive portal or a wrong address.
    """

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._inner: Splitter | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the body is a single value, which needs no end marker."""
        return isinstance(self._inner, WholeBody)

    def feed(self, piece: bytes) -> list[bytes]:
        if self._inner is not None:
            return self._inner.feed(piece)
        # DeepSeek sends blank lines while a request is queued. All blanks at once, however the body is divided.
        head = piece.lstrip(b" \t\r\n" + _BOM)
        if not head:
            return []
        self._inner = self._choose(head[:1])
        return self._inner.feed(head)

    def end(self) -> list[bytes]:
        return self._inner.end() if self._inner is not None else []

    def _choose(self, first: bytes) -> Splitter:
        if first == b"<":
            raise BrokenStreamError("it returned a web page: sign in to the network, or check base_url")
        if self._framing == "ndjson":
            return NdjsonSplitter()
        return WholeBody() if first in (b"{", b"[") else SseSplitter()
