"""A model in Ollama's cloud is told from one on this machine."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.ollama_cloud import is_cloud_tag, runs_elsewhere


@pytest.mark.parametrize(
    ("model", "is_cloud"),
    [
        pytest.param("qwen3-coder:480b-cloud", True, id="size and cloud"),
        pytest.param("glm-4.6:cloud", True, id="cloud alone"),
        pytest.param(" GPT-OSS:20B-CLOUD ", True, id="case and blanks"),
        pytest.param("cloud-coder:7b", False, id="a name with the word"),
        pytest.param("qwen2.5-coder:7b", False, id="a local one"),
        pytest.param("", False, id="none"),
    ],
)
def test_a_cloud_is_known_by_its_tag(model: str, is_cloud: bool) -> None:
    assert is_cloud_tag(model) is is_cloud


@pytest.mark.parametrize(
    ("entry", "elsewhere"),
    [
        pytest.param({"remote_host": "https://ollama.com:443"}, True, id="host"),
        pytest.param({"remote_model": "gpt-oss:120b"}, True, id="model"),
        pytest.param({"remote_host": "", "name": "m"}, False, id="empty"),
        pytest.param({}, False, id="nothing said"),
    ],
)
def test_a_cloud_is_known_by_what_ollama_shows(entry: dict[str, object], elsewhere: bool) -> None:
    assert runs_elsewhere(entry) is elsewhere
