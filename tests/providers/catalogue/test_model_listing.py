"""Which model is used if the settings name none, by what an API lists."""

import json

import httpx
import pytest

from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import NotFoundError
from llm_lsp.providers.catalogue.model_listing import list_models, one_of, with_model
from llm_lsp.providers.catalogue.presets import preset_config
from llm_lsp.providers.discovery import local_probe as probe


def listing(monkeypatch: pytest.MonkeyPatch, body: object) -> list[httpx.Request]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()))

    monkeypatch.setattr(probe, "open_transport", lambda *_: httpx.MockTransport(answer))
    return asked


@pytest.mark.parametrize("name", ["hf", "together", "fireworks", "github-models"])
async def test_a_hosted_apis_model_is_its_users_to_choose(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listing(monkeypatch, {"data": [{"id": "painter"}, {"id": "coder"}]})
    with pytest.raises(NotFoundError, match=f'set model of {name} to one of "painter", "coder"'):
        await with_model(preset_config(name), Secret("k"))


@pytest.mark.parametrize("name", ["vllm", "lmstudio", "sglang", "litellm"])
async def test_a_server_of_ones_own_is_asked_for_its_first(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing(monkeypatch, {"data": [{"id": "coder"}, {"id": "other"}]})
    assert (await with_model(preset_config(name), None)).model == "coder"


async def test_an_api_is_asked_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = listing(monkeypatch, {"models": [{"name": "models/gemini-3.5-flash-lite"}]})
    assert await list_models(preset_config("gemini"), Secret("k")) == ("gemini-3.5-flash-lite",)
    await list_models(preset_config("anthropic"), Secret("k"))
    gemini, anthropic = asked
    assert gemini.headers["x-goog-api-key"] == "k"
    assert "k" not in gemini.url.params.values()
    assert (anthropic.url.path, anthropic.headers["x-api-key"]) == ("/v1/models", "k")
    assert anthropic.headers["anthropic-version"] == "2023-06-01"


def test_a_long_list_is_cut() -> None:
    assert one_of(("a", "b")) == 'one of "a", "b"'
    assert one_of(tuple("abcdefg")) == 'one of "a", "b", "c", "d", "e" …'
