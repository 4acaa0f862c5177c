"""What a provider's settings leave open is filled in by what its API is."""

from __future__ import annotations

import pytest

from llm_lsp.config.settings import Api, ProviderConfig
from llm_lsp.core.request import Patience
from llm_lsp.providers.provider_factory import deadlines_of, is_template_unknown, profile_of


def config(api: Api, url: str, model: str = "house-coder", **more: object) -> ProviderConfig:
    return ProviderConfig("team", api, url, model, **more)  # type: ignore[arg-type] # each case knows its own


@pytest.mark.parametrize(
    ("api", "url", "may_be_slow"),
    [
        pytest.param("llamacpp-infill", "http://127.0.0.1:8080", True, id="llama.cpp"),
        pytest.param("llamacpp-infill", "http://gpu.team.example:8080", True, id="llama.cpp elsewhere"),
        pytest.param("ollama", "http://127.0.0.1:11434", True, id="Ollama"),
        pytest.param(
            "openai-completions", "http://localhost:1234/v1", True, id="whatever is on this machine"
        ),
        pytest.param("openai-completions", "https://api.example/v1", False, id="a hosted API"),
        pytest.param("anthropic", "https://api.anthropic.com", False, id="a hosted chat model"),
    ],
)
def test_the_first_prompt_is_short_where_a_model_may_have_no_gpu(
    api: Api, url: str, may_be_slow: bool
) -> None:
    assert profile_of(config(api, url)).may_be_slow is may_be_slow
    assert not profile_of(config(api, url, context_tokens=4096)).may_be_slow


@pytest.mark.parametrize(
    ("api", "url", "model", "first_s"),
    [
        pytest.param("llamacpp-infill", "http://gpu.team.example:8080", "m", 96.0, id="llama.cpp elsewhere"),
        pytest.param("ollama", "http://gpu.team.example:11434", "qwen2.5-coder", 96.0, id="Ollama elsewhere"),
        pytest.param(
            "ollama", "http://gpu.team.example:11434", "qwen3-coder:480b-cloud", 4.0, id="its cloud"
        ),
        pytest.param("openai-completions", "https://api.example/v1", "m", 4.0, id="a hosted API"),
    ],
)
def test_a_slow_server_of_ones_own_is_waited_for(api: Api, url: str, model: str, first_s: float) -> None:
    deadlines = deadlines_of(config(api, url, model), local=False)

    assert deadlines[Patience.TYPING].first_s == first_s


@pytest.mark.parametrize(
    ("api", "model", "fim", "is_unknown"),
    [
        pytest.param("openai-completions", "house-coder", "auto", True, id="a name of the house"),
        pytest.param("openai-completions", "qwen2.5-coder-7b", "auto", False, id="a family's name"),
        pytest.param("openai-completions", "house-coder", "none", False, id="said to be none"),
        pytest.param("openai-chat", "house-coder", "auto", True, id="an API for dialogues"),
        pytest.param("openai-chat", "house-coder", "chat", False, id="said to be asked in dialogues"),
        pytest.param("anthropic", "house-coder", "auto", False, id="an API without raw prompts"),
    ],
)
def test_a_template_is_unknown_where_neither_name_nor_settings_tell(
    api: Api, model: str, fim: str, is_unknown: bool
) -> None:
    assert is_template_unknown(config(api, "https://gateway.team.example/v1", model, fim=fim)) is is_unknown


def test_the_models_of_services_that_are_known_are_not_looked_into() -> None:
    assert not is_template_unknown(
        ProviderConfig("openai", "openai-chat", "https://api.openai.com/v1", "gpt-6-luna")
    )
