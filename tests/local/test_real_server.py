"""The model's server for real: shared, guarded by its key, and gone when nobody asks it."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from llm_lsp.local.models import LocalEndpoint

pytestmark = pytest.mark.real_model


def ask(
    endpoint: LocalEndpoint, path: str, body: dict[str, object] | None = None, key: str | None = None
) -> tuple[int, bytes]:
    """Ask the server, with its key where none is given."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(endpoint.base_url).port, timeout=60)
    headers = {"Authorization": f"Bearer {endpoint.key.reveal() if key is None else key}"}
    try:
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_the_model_completes(real_model: LocalEndpoint) -> None:
    status, answer = ask(
        real_model, "/completion", {"prompt": "def add(a, b):\n    return a", "n_predict": 4}
    )
    assert status == 200
    assert json.loads(answer)["timings"]["predicted_n"] > 0


@pytest.mark.parametrize("path", ["/completion", "/infill", "/v1/models", "/slots", "/props", "/metrics"])
@pytest.mark.parametrize("key", ["", "wrong"])
def test_without_the_key_the_server_answers_401(real_model: LocalEndpoint, path: str, key: str) -> None:
    body: dict[str, object] | None = (
        {"prompt": "x", "n_predict": 1} if path in ("/completion", "/infill") else None
    )
    assert ask(real_model, path, body, key)[0] == 401


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_neither_the_key_nor_ours_shows_in_the_process_list(real_model: LocalEndpoint) -> None:
    command = Path(f"/proc/{real_model.pid}/cmdline").read_bytes()
    assert real_model.key.reveal().encode() not in command
