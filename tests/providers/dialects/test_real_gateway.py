"""The dialects against a real gateway: LiteLLM's proxy, in front of llama.cpp's server with a small model.

It needs `litellm[proxy]` in an environment of its own, since that pins what we do not; LLM_LSP_TEST_LITELLM names its
`litellm` program. `.ci/run full` sets it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from llm_lsp.config.settings import Api, ProviderConfig
from llm_lsp.core.generation import Chunk, Finish
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt, RawPrompt
from llm_lsp.errors import AuthError, BadRequestError, ContextTooLongError, NotFoundError, ProviderError
from llm_lsp.local.local_models import LocalEndpoint
from llm_lsp.providers.catalogue.model_listing import list_models
from llm_lsp.providers.provider_factory import make_provider

PROGRAM = os.environ.get("LLM_LSP_TEST_LITELLM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_model,
    pytest.mark.skipif(not PROGRAM, reason="LLM_LSP_TEST_LITELLM names no litellm"),
]

# Made up: the gateway runs for the tests alone, on loopback.
KEY = "sk-gateway-canary"
RAW = RawPrompt("def add(a, b):\n    return a +", max_tokens=8)
CHAT = ChatPrompt((("system", "Count."), ("user", "one, two,")), max_tokens=8)
SPOKEN: dict[str, tuple[Api, str, Prompt]] = {
    "/v1/completions": ("openai-completions", "raw", RAW),
    "/v1/chat/completions": ("openai-chat", "chat", CHAT),
    "/v1/messages": ("anthropic", "chat", CHAT),
}
EACH = pytest.mark.parametrize(("api", "model", "prompt"), SPOKEN.values(), ids=SPOKEN)


@pytest.fixture(scope="module")
def gateway(real_model: LocalEndpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a gateway with the small model, under a name for chats and one for raw prompts."""
    folder = tmp_path_factory.mktemp("gateway")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    config = folder / "config.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(configuration(real_model)))
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    command = [PROGRAM, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/health/liveliness", process, folder / "log")
            yield url
        finally:
            process.terminate()


def configuration(real_model: LocalEndpoint) -> dict[str, object]:
    upstream = {"api_base": real_model.base_url, "api_key": real_model.key.reveal()}
    kinds = {"chat": "openai", "raw": "text-completion-openai"}
    models = [
        {"model_name": name, "litellm_params": {"model": f"{kind}/{real_model.model}", **upstream}}
        for name, kind in kinds.items()
    ]
    gone = {"model": "openai/m", "api_base": "http://127.0.0.1:9/v1", "api_key": "x"}
    return {
        "model_list": [*models, {"model_name": "gone", "litellm_params": gone}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"num_retries": 0, "drop_params": True},
    }


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the gateway answers; its imports take most of a minute on a slow machine."""
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


async def read(
    gateway: str, api: Api, model: str, prompt: Prompt, *, key: str = KEY, stream: bool = True
) -> list[Chunk]:
    config = ProviderConfig("it", api, f"{gateway}/v1", model, local=True, ask_usage=True, stream=stream)
    async with aclosing(make_provider(config, Secret(key))) as provider:
        return [chunk async for chunk in provider.stream(prompt)]


@EACH
async def test_a_completion_is_streamed_and_counted(
    gateway: str, api: Api, model: str, prompt: Prompt
) -> None:
    chunks = await read(gateway, api, model, prompt)
    usage = chunks[-1].usage
    assert "".join(chunk.text for chunk in chunks)
    assert sum(chunk.pieces for chunk in chunks if chunk.text) > 1
    assert chunks[-1].finish in (Finish.LENGTH, Finish.STOP)
    assert usage is not None
    assert usage.input_tokens
    assert usage.output_tokens


@EACH
async def test_an_answer_that_is_not_streamed_is_read(
    gateway: str, api: Api, model: str, prompt: Prompt
) -> None:
    chunks = await read(gateway, api, model, prompt, stream=False)
    assert "".join(chunk.text for chunk in chunks)
    assert chunks[-1].usage is not None


@EACH
async def test_a_wrong_key_is_refused(gateway: str, api: Api, model: str, prompt: Prompt) -> None:
    with pytest.raises(AuthError) as caught:
        await read(gateway, api, model, prompt, key="sk-wrong-canary")
    check_message(caught.value)


@EACH
async def test_a_model_that_is_not_there_is_told(gateway: str, api: Api, model: str, prompt: Prompt) -> None:
    with pytest.raises((NotFoundError, BadRequestError)) as caught:
        await read(gateway, api, "nobody", prompt)
    check_message(caught.value)


@EACH
async def test_a_prompt_over_the_window_is_told_as_such(
    gateway: str, api: Api, model: str, prompt: Prompt
) -> None:
    long = "x = 1\n" * 6000
    much = RawPrompt(long) if isinstance(prompt, RawPrompt) else ChatPrompt((("user", long),))
    with pytest.raises(ContextTooLongError) as caught:
        await read(gateway, api, model, much)
    check_message(caught.value)


@pytest.mark.parametrize("api", ["openai-chat", "anthropic"])
async def test_an_upstream_that_is_gone_is_one_line(gateway: str, api: Api) -> None:
    with pytest.raises(ProviderError) as caught:
        await read(gateway, api, "gone", CHAT)
    check_message(caught.value)


async def test_the_models_are_listed(gateway: str) -> None:
    config = ProviderConfig("it", "openai-chat", f"{gateway}/v1")
    assert {"chat", "raw", "gone"} <= set(await list_models(config, Secret(KEY)))


def check_message(error: ProviderError) -> None:
    assert "\n" not in str(error)
    assert "canary" not in str(error)
