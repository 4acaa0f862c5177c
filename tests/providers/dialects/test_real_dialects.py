"""The dialects against llama.cpp's own server, which speaks five of its vendors' formats, with a small model.

Ollama, TGI, Gemini, Mistral and the hosted APIs are not asked here: test_every_dialect.py has their answers by hand.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

import pytest

from llm_lsp.config.settings import Api, ProviderConfig
from llm_lsp.core.generation import Chunk, Finish
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.errors import AuthError, BadRequestError, ContextTooLongError, NotFoundError
from llm_lsp.local.local_models import LocalEndpoint
from llm_lsp.providers.catalogue.model_listing import list_models
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.provider_factory import make_provider

pytestmark = pytest.mark.real_model

RAW = RawPrompt("def add(a, b):\n    return a +", max_tokens=8)
CHAT = ChatPrompt((("system", "Count."), ("user", "one, two,")), max_tokens=8)
SPOKEN: dict[str, tuple[Api, Prompt]] = {
    "/completion": ("llamacpp-infill", RAW),
    "/v1/completions": ("openai-completions", RAW),
    "/v1/chat/completions": ("openai-chat", CHAT),
    "/v1/chat/completions, by llama.cpp's dialect": ("llamacpp-infill", CHAT),
    "/v1/messages": ("anthropic", CHAT),
}
EACH = pytest.mark.parametrize(("api", "prompt"), SPOKEN.values(), ids=SPOKEN)


def connect(real_model: LocalEndpoint, api: Api, key: Secret | None = None, path: str = "") -> HttpProvider:
    """Speak to the server as a provider of this dialect; on this machine no deadline is kept."""
    config = ProviderConfig(
        "it",
        api,
        f"{real_model.base_url}{path}",
        real_model.model,
        local=True,
        ask_usage=True,
        takes_temperature=True,
    )
    return make_provider(config, key or real_model.key)


async def read(provider: HttpProvider, prompt: Prompt) -> list[Chunk]:
    async with aclosing(provider):
        return [chunk async for chunk in provider.stream(prompt)]


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


@EACH
async def test_a_completion_is_streamed_and_counted(
    real_model: LocalEndpoint, api: Api, prompt: Prompt
) -> None:
    chunks = await read(connect(real_model, api), prompt)
    usage = chunks[-1].usage
    assert text_of(chunks)
    assert sum(chunk.pieces for chunk in chunks if chunk.text) > 1
    assert usage is not None
    assert usage.input_tokens
    assert usage.output_tokens in range(1, 9)
    assert chunks[-1].finish in (Finish.LENGTH, Finish.STOP)


@EACH
async def test_the_token_limit_is_kept_and_told(real_model: LocalEndpoint, api: Api, prompt: Prompt) -> None:
    chunks = await read(connect(real_model, api), replace(prompt, max_tokens=2))
    assert chunks[-1].finish is Finish.LENGTH


@EACH
async def test_a_stop_string_ends_the_answer(real_model: LocalEndpoint, api: Api, prompt: Prompt) -> None:
    whole = text_of(await read(connect(real_model, api), prompt))
    stop = whole.strip()[1:3]
    chunks = await read(connect(real_model, api), replace(prompt, stop=(stop,)))
    assert text_of(chunks) == whole[: whole.index(stop)]
    assert chunks[-1].finish is Finish.STOP


@EACH
async def test_the_call_after_a_cancelled_one_is_answered(
    real_model: LocalEndpoint, api: Api, prompt: Prompt
) -> None:
    provider = connect(real_model, api)
    stream = provider.stream(replace(prompt, max_tokens=2000))
    async for chunk in stream:
        if chunk.text:
            break
    stream.close()
    # The server has one slot: it answers before the 2000 tokens are written only where it stopped writing them.
    assert text_of(await read(provider, prompt))


@EACH
async def test_a_wrong_key_is_refused(real_model: LocalEndpoint, api: Api, prompt: Prompt) -> None:
    with pytest.raises(AuthError) as caught:
        await read(connect(real_model, api, Secret("sk-canary")), prompt)
    assert "sk-canary" not in str(caught.value)


@EACH
async def test_a_prompt_over_the_window_is_told_as_such(
    real_model: LocalEndpoint, api: Api, prompt: Prompt
) -> None:
    long = "x = 1\n" * 6000
    much = RawPrompt(long) if isinstance(prompt, RawPrompt) else ChatPrompt((("user", long),))
    with pytest.raises(ContextTooLongError):
        await read(connect(real_model, api), much)


async def test_a_model_without_infill_tokens_says_that_it_takes_no_suffix(real_model: LocalEndpoint) -> None:
    with pytest.raises(BadRequestError, match="does not accept text after the cursor"):
        await read(connect(real_model, "llamacpp-infill"), FimPrompt("a", "b", "c"))


async def test_a_begun_answer_is_gone_on_with(real_model: LocalEndpoint) -> None:
    begun = ChatPrompt((("user", "Count to five."), ("assistant", "one, two, three,")), max_tokens=8)
    provider = connect(real_model, "llamacpp-infill")
    assert provider.profile.takes_prefill
    assert text_of(await read(provider, begun)).strip().startswith("four")


@pytest.mark.parametrize("api", ["llamacpp-infill", "openai-completions", "openai-chat", "anthropic"])
async def test_the_models_are_listed(real_model: LocalEndpoint, api: Api) -> None:
    config = ProviderConfig("it", api, real_model.base_url)
    assert await list_models(config, real_model.key) == (real_model.model,)


async def test_a_path_that_is_not_there_is_told(real_model: LocalEndpoint) -> None:
    with pytest.raises(NotFoundError, match="check model and base_url of it"):
        await read(connect(real_model, "openai-chat", path="/nothing"), CHAT)
