"""A model API on loopback that streams one fixed answer; knows no editor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PROVIDER = """
provider = "here"

[providers.here]
api = "openai-completions"
base_url = "{base_url}"
model = "qwen2.5-coder-0.5b"
"""
"""Settings of an editor whose model is a fixed one, at `base_url`."""


def configure(home: Path, settings: str, base_url: str) -> None:
    """Write the user's settings into a home whose folder for them is `config`."""
    (folder := home / "config" / "llm-lsp").mkdir(parents=True)
    (folder / "config.toml").write_text(settings.format(base_url=base_url))


class FixedModel(ThreadingHTTPServer):
    """Answers each call in the shape of OpenAI's completions, and keeps the prompts; of a dialogue its last message."""

    daemon_threads = False  # so that closing waits for them, and none is left over

    def __init__(self, text: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.text = text
        self.prompts: list[str] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that closes early has what it wants."""


class _Handler(BaseHTTPRequestHandler):
    server: FixedModel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.prompts.append(body["prompt"] if "prompt" in body else body["messages"][-1]["content"])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self._chunk(self.server.text, None)
        self._chunk("", "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, text: str, finish: str | None) -> None:
        choice = {"index": 0, "text": text, "finish_reason": finish}
        self.wfile.write(b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def fixed_model(text: str) -> Iterator[FixedModel]:
    """Run one."""
    with FixedModel(text) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
