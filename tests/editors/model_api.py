"""A model API on loopback that streams one fixed answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.servers import listening_in_threads

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


@dataclass
class FixedModel:
    """Answers each call in the shape of OpenAI's completions, and keeps the prompts; of a dialogue its last message."""

    text: str
    base_url: str = ""
    prompts: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    model: FixedModel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.model.prompts.append(body["prompt"] if "prompt" in body else body["messages"][-1]["content"])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self._chunk(self.model.text, None)
        self._chunk("", "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, text: str, finish: str | None) -> None:
        choice = {"index": 0, "text": text, "finish_reason": finish}
        self.wfile.write(b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


@contextmanager
def fixed_model(text: str) -> Iterator[FixedModel]:
    """Run one."""
    model = FixedModel(text)
    with listening_in_threads(type("Handler", (_Handler,), {"model": model})) as port:
        model.base_url = f"http://127.0.0.1:{port}/v1"
        yield model
