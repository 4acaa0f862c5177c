"""What the editor named is used only where it is this machine's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.errors import ConfigError, LlmLspError, NotFoundError, UnreachableError
from llm_lsp.port_owners import Owner
from llm_lsp.providers.discovery.owner_check import check_owner, check_place
from tests.providers.standin import pages, serve

HERE = ProviderConfig("here", "openai-completions", "http://127.0.0.1:9/v1", "m", unvouched=True)


@pytest.mark.parametrize("owner", ["me", "system"])
def test_a_server_of_ones_own_is_used(owner: Owner) -> None:
    asked: list[int] = []

    def owner_of(port: int) -> Owner:
        asked.append(port)
        return owner

    check_owner(HERE, owner_of)
    assert asked == [9]


@pytest.mark.parametrize(
    ("owner", "why"), [("other", "belongs to another user"), ("unknown", "is known to be yours")]
)
def test_another_server_is_refused_with_the_remedy(owner: Owner, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        check_owner(replace(HERE, base_url="http://127.0.0.1:9/$(evil)"), lambda port: owner)
    assert "`llm-lsp provider add here`" in str(caught.value)
    assert "evil" not in str(caught.value)


REMOTE = {"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}
SHOWN: list[object] = [
    pytest.param("m", {"/api/show": {"capabilities": []}}, None, id="a model that is here"),
    pytest.param("m", {"/api/show": REMOTE}, ConfigError, id="a copy of a cloud's model"),
    pytest.param("m", {}, NotFoundError, id="a model that is not here"),
    pytest.param("m:cloud", {"/api/show": {}}, ConfigError, id="a cloud's tag"),
]


@pytest.mark.parametrize(("model", "answers", "refusal"), SHOWN)
async def test_ollama_says_where_a_model_runs(
    model: str, answers: dict[str, object], refusal: type[LlmLspError] | None
) -> None:
    async with serve(pages(answers)) as standin:
        config = ProviderConfig("ollama", "ollama", f"{standin.url}/v1", model)
        if refusal is None:
            await check_place(config)
            assert [(ask.method, ask.path) for ask in standin.received] == [("POST", "/api/show")]
            return
        with pytest.raises(refusal):
            await check_place(config)


async def test_an_ollama_that_does_not_answer_is_not_trusted() -> None:
    async with serve(pages({})) as standin:
        gone = ProviderConfig("ollama", "ollama", standin.url, "m")
    with pytest.raises(UnreachableError):
        await check_place(gone)


async def test_another_server_is_asked_nothing() -> None:
    async with serve(pages({})) as standin:
        await check_place(replace(HERE, base_url=f"{standin.url}/v1"))
        with pytest.raises(ConfigError):
            await check_place(replace(HERE, base_url=f"{standin.url}/v1", model="m:cloud"))
        assert standin.received == []


async def test_a_remote_ollama_was_named_by_its_user() -> None:
    await check_place(ProviderConfig("cloud", "ollama", "https://ollama.example", "m:cloud"))
