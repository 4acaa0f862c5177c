"""A model API in a thread, for commands that run an event loop of their own; knows only how to count."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.servers import listening_in_threads

# The names that the checks look for occur only after the cursor: an answer that repeats them has read the suffix.
PIECES = ("turquoise", "_walrus", " = 1", ", 2", ", 3")


@dataclass
class ModelApi:
    """Answers completions, or refuses with `status`."""

    status: int = 200
    url: str = ""
    keys: list[str] = field(default_factory=list)
    """The Authorization header of each call."""
    models: tuple[str, ...] = ()
    asked: int = 0
    """Questions beside the calls."""
    model: Callable[[str, dict[str, object]], tuple[str, int]] | None = None
    """Returns the answer to a path and body, and the prompt's tokens; None for the pieces."""


@contextmanager
def model_api(status: int = 200) -> Iterator[ModelApi]:
    """Serve on loopback until the block ends."""
    api = ModelApi(status)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.keys.append(self.headers.get("Authorization", ""))
            kind = "text/event-stream" if api.status == 200 else "application/json"
            text, n_tokens = api.model(self.path, body) if api.model else ("", 30)
            said = answer((text,) if api.model else PIECES, n_tokens)
            self.reply(said if api.status == 200 else b'{"error": {"message": "no"}}', kind)

        def do_GET(self) -> None:
            api.asked += 1
            body = {"data": [{"id": model} for model in api.models]}
            self.reply(json.dumps(body).encode(), "application/json")

        do_HEAD = do_GET

        def reply(self, body: bytes, kind: str) -> None:
            self.send_response(api.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with listening_in_threads(Handler) as port:
        api.url = f"http://127.0.0.1:{port}/v1"
        yield api


def answer(pieces: Sequence[str] = PIECES, n_tokens: int = 30) -> bytes:
    """Stream pieces as OpenAI's completions do."""
    choices = [{"choices": [{"index": 0, "text": piece, "finish_reason": None}]} for piece in pieces]
    end: dict[str, object] = {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}
    end |= {"usage": {"prompt_tokens": n_tokens, "completion_tokens": len(pieces)}}
    events = [f"data: {json.dumps(event)}\n\n" for event in [*choices, end]]
    return "".join([*events, "data: [DONE]\n\n"]).encode()
