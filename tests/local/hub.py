"""A stand-in for the hubs on loopback: the part of Hugging Face's and ModelScope's wire that a download uses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.servers import listening_in_threads


@dataclass
class Hub:
    """What the stand-in serves, and what it was asked."""

    content: bytes = b""
    status: int = 200
    break_after_bytes: int | None = None
    """Close the connection after so many bytes of a body."""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers of each request."""
    url: str = ""

    @property
    def etag(self) -> str:
        """The digest, as the real hub has it for large files."""
        return hashlib.sha256(self.content).hexdigest()

    def ranges(self) -> list[str]:
        """Return the requested ranges, "" for a whole body."""
        return [headers.get("range", "") for method, _, headers in self.asked if method == "GET"]


@contextmanager
def hub_stand_in(hub: Hub) -> Iterator[Hub]:
    """Serve until the block ends."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    with listening_in_threads(handler) as port:
        hub.url = f"http://127.0.0.1:{port}"
        yield hub


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.hub.content)

    def _answer(self, body: bytes) -> None:
        hub = self.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub.asked.append((self.command, self.path, headers))
        if hub.status != 200 or "/resolve/" not in self.path:
            self.send_response(hub.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self._start(headers)
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hub.etag}"')
        # Hugging Face: the commit that the name stands for (docs: /resolve, X-Repo-Commit).
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(hub.content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
        self.end_headers()
        end = len(body) if hub.break_after_bytes is None else start + hub.break_after_bytes
        self.wfile.write(body[start:end])
        if end < len(body):
            self.close_connection = True

    def _start(self, headers: dict[str, str]) -> int:
        """Where the wanted range begins: 0 where the file is another one now (RFC 9110, section 13.1.5)."""
        asked = re.fullmatch(r"bytes=(\d+)-.*", headers.get("range", ""))
        same = headers.get("if-range", f'"{self.hub.etag}"') == f'"{self.hub.etag}"'
        return int(asked[1]) if asked and same else 0

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
