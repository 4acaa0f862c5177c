"""Presets hold together: each one can be made into a provider, and shows where its key goes."""

from dataclasses import replace

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.request import Patience
from llm_lsp.errors import ConfigError
from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS, PRESETS, preset_config, quirks_of
from llm_lsp.providers.catalogue.quirks import Quirks
from llm_lsp.providers.provider_factory import make_provider, profile_of

OWN = "https://llm.example/v1"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_a_provider(name: str) -> None:
    config = preset_config(name)
    config = replace(config, model=config.model or "some-model", base_url=config.base_url or OWN)
    assert make_provider(config, None).profile.provider == name
    assert PRESET_CONFIGS[name] == preset_config(name)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sends_no_key_in_the_clear(name: str) -> None:
    origin = origin_of(preset_config(name).base_url or OWN)
    assert origin.scheme == "https" or origin.is_loopback


def test_every_remote_preset_names_its_key() -> None:
    assert [preset.name for preset in PRESETS.values() if not preset.is_local and not preset.key_env] == []


def test_an_unknown_preset_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        preset_config("nobody")


QUIRKS = [
    pytest.param(ProviderConfig("own", "openai-completions", "https://api.deepseek.com/beta"), 16, id="by address"),
    pytest.param(ProviderConfig("own", "mistral-fim", "https://api.deepseek.com/beta"), 4, id="not with another dialect"),
    pytest.param(ProviderConfig("own", "openai-completions", "https://api.deepseek.com.evil.example/beta"), 4, id="not by half a host"),
    pytest.param(ProviderConfig("own", "llamacpp-infill", "http://127.0.0.1:9999"), None, id="llama.cpp anywhere"),
    pytest.param(ProviderConfig("own", "ollama", "http://gpu.example:11434"), None, id="Ollama anywhere"),
    pytest.param(ProviderConfig("own", "openai-completions", "http://127.0.0.1:9999/v1"), 4, id="unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "max_stops"), QUIRKS)
def test_quirks_are_found_by_address_and_dialect(config: ProviderConfig, max_stops: int | None) -> None:
    assert quirks_of(config).max_stops == max_stops


def test_quirks_of_a_local_server_are_found_by_name_on_any_port() -> None:
    assert quirks_of(ProviderConfig("vllm", "openai-completions", "http://127.0.0.1:9000/v1")).ask_usage
    assert quirks_of(ProviderConfig("other", "openai-completions", "http://127.0.0.1:9000/v1")) == Quirks()


def remote(api: str, url: str, model: str, **said: object) -> ProviderConfig:
    return ProviderConfig("own", api, url, model, **said)  # type: ignore[arg-type] # the names are those of fields


OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"
GEMINI = "https://generativelanguage.googleapis.com/v1beta"
LEVEL = {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}}
THINKING = [
    pytest.param(remote("openai-chat", OPENAI, "gpt-6-luna"), {"reasoning_effort": "none"}, False, id="OpenAI"),
    pytest.param(remote("openai-chat", OPENAI, "gpt-5-mini"), {"reasoning_effort": "minimal"}, False, id="the first GPT-5"),
    pytest.param(remote("openai-chat", OPENAI, "gpt-4.1-nano"), {}, True, id="before GPT-5"),
    pytest.param(remote("openai-chat", OPENAI, "o4-mini"), {"reasoning_effort": "low"}, False, id="cannot but think"),
    pytest.param(remote("anthropic", ANTHROPIC, "claude-haiku-5-5"), {"thinking": {"type": "disabled"}}, False, id="Anthropic"),
    pytest.param(remote("anthropic", ANTHROPIC, "claude-haiku-4-5"), {}, True, id="thinks only when asked"),
    pytest.param(remote("anthropic", ANTHROPIC, "claude-sonnet-4-20250514"), {}, True, id="named by its date"),
    pytest.param(remote("anthropic", ANTHROPIC, "claude-opus-4-6"), {"thinking": {"type": "disabled"}}, False, id="Opus 4.6"),
    pytest.param(remote("anthropic", ANTHROPIC, "claude-opus-5-5"), {"output_config": {"effort": "low"}}, False, id="Opus 5.5"),
    pytest.param(remote("gemini", GEMINI, "gemini-3.5-flash-lite"), LEVEL, False, id="Gemini"),
    pytest.param(remote("gemini", GEMINI, "gemini-2.5-flash"), {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, True, id="Gemini 2.5"),
    pytest.param(remote("openai-chat", "https://api.groq.com/openai/v1", "qwen/qwen3-32b"), {"reasoning_effort": "none"}, True, id="Qwen at Groq"),
    pytest.param(remote("openai-chat", "https://llm.example/v1", "gpt-6-luna"), {}, True, id="nothing unasked to a stranger"),
]  # fmt: skip


ALWAYS_THINK = [
    ("moonshot", "kimi-k2.7-code-highspeed"), ("moonshot-cn", "kimi-k3"), ("groq", "openai/gpt-oss-120b"),
    ("openai", "o4-mini"), ("anthropic", "claude-opus-5-5"), ("gemini", "gemini-2.5-pro"), ("gemini", "gemini-3.1-pro-preview"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "model"), ALWAYS_THINK)
def test_a_model_that_cannot_stop_thinking_is_known(name: str, model: str) -> None:
    assert profile_of(replace(preset_config(name), model=model)).always_thinks


@pytest.mark.parametrize("name", PRESETS)
def test_no_presets_own_model_always_thinks(name: str) -> None:
    assert not PRESETS[name].quirks_for(PRESETS[name].model).always_thinks


@pytest.mark.parametrize(
    ("model", "fim"),
    [("mistralai/codestral-2508", "native"), ("inception/mercury-coder", "native"), ("openai/gpt-6-luna", "chat")],
)  # fmt: skip
def test_openrouters_models_fill_the_middle_if_they_can(model: str, fim: str) -> None:
    assert profile_of(replace(preset_config("openrouter"), model=model)).fim == fim
    assert profile_of(replace(preset_config("openrouter"), model=model, fim="chat")).fim == "chat"


@pytest.mark.parametrize(("config", "thinking_off", "takes_temperature"), THINKING)
def test_a_model_is_sent_what_it_takes(
    config: ProviderConfig, thinking_off: dict[str, object], takes_temperature: bool
) -> None:
    quirks = quirks_of(config)
    assert (quirks.thinking_off, quirks.takes_temperature) == (thinking_off, takes_temperature)


def test_what_the_user_says_of_an_api_wins() -> None:
    said = {"max_stops": 2, "max_tokens_field": "n", "takes_temperature": True, "ask_usage": False,
            "prefill": "partial", "key_header": "api-key"}  # fmt: skip
    quirks = quirks_of(remote("openai-chat", OPENAI, "gpt-6-luna", **said))
    assert {name: getattr(quirks, name) for name in said} == said


def test_an_api_with_each_users_own_address_is_known_by_its_name() -> None:
    azure = replace(preset_config("azure"), base_url="https://me.openai.azure.com/openai/v1", model="gpt-4.1")
    quirks = quirks_of(azure)
    assert (quirks.key_header, quirks.thinking_off) == ("api-key", {})
    assert quirks_of(replace(azure, name="other")).key_header == "authorization"


@pytest.mark.parametrize(
    ("name", "takes_prefill"), [("codestral", True), ("deepseek", True), ("anthropic", False), ("openai", False)]
)  # fmt: skip
def test_a_profile_says_whether_an_answer_may_be_begun(name: str, takes_prefill: bool) -> None:
    assert profile_of(preset_config(name)).takes_prefill is takes_prefill


LOOPBACK = "http://127.0.0.1:8080"
PROFILES = [
    pytest.param(ProviderConfig("a", "ollama", LOOPBACK, "m"), True, id="Ollama on loopback"),
    pytest.param(ProviderConfig("a", "llamacpp-infill", LOOPBACK), True, id="llama.cpp on loopback"),
    pytest.param(ProviderConfig("a", "ollama", LOOPBACK, "qwen3-coder:480b-cloud"), False, id="a cloud tag"),
    pytest.param(ProviderConfig("a", "ollama", LOOPBACK, "kimi:cloud"), False, id="another cloud tag"),
    pytest.param(ProviderConfig("a", "openai-completions", f"{LOOPBACK}/v1", "m"), False, id="may be a gateway"),
    pytest.param(ProviderConfig("a", "openai-completions", f"{LOOPBACK}/v1", "m", local=True), True, id="as the user says"),
    pytest.param(ProviderConfig("a", "ollama", "http://gpu.example:11434", "m"), False, id="another machine"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "local"), PROFILES)
def test_what_runs_here_is_local_free_and_one_at_a_time(config: ProviderConfig, local: bool) -> None:
    profile = profile_of(config)
    assert (profile.local, profile.free, profile.max_in_flight) == (local, local, 1 if local else 2)


@pytest.mark.parametrize(
    ("config", "in_flight"),
    [
        pytest.param(preset_config("deepseek"), 2, id="stops"),
        pytest.param(preset_config("codestral"), 1, id="goes on"),
        pytest.param(replace(preset_config("codestral"), max_in_flight=2), 2, id="as the user says"),
    ],
)
def test_a_call_that_is_paid_to_its_end_is_the_only_one(config: ProviderConfig, in_flight: int) -> None:
    assert profile_of(config).max_in_flight == in_flight


def test_what_the_user_says_is_kept() -> None:
    config = ProviderConfig("a", "ollama", LOOPBACK, "m", context_tokens=512, free=False, max_in_flight=3)
    profile = profile_of(config)
    assert (profile.context_tokens, profile.free, profile.max_in_flight) == (512, False, 3)


FIMS = [
    pytest.param("openai-completions", "auto", "qwen2.5-coder-7b", "qwen", id="by the model's name"),
    pytest.param("openai-completions", "auto", "llama-3", "none", id="an unknown model"),
    pytest.param("openai-completions", "native", "m", "native", id="as the user says"),
    pytest.param("openai-chat", "auto", "qwen2.5-coder-7b", "chat", id="chat"),
    pytest.param("mistral-fim", "auto", "codestral", "native", id="Mistral"),
    pytest.param("llamacpp-infill", "auto", "", "native", id="llama.cpp"),
    pytest.param("ollama", "auto", "qwen2.5-coder:7b", "qwen", id="Ollama, by name"),
    pytest.param("ollama", "chat", "qwen3:8b", "chat", id="Ollama, as a dialogue"),
    pytest.param("anthropic", "auto", "claude-haiku-5-5", "chat", id="Anthropic"),
    pytest.param("gemini", "auto", "gemini-3.5-flash-lite", "chat", id="Gemini"),
    pytest.param("tgi", "auto", "qwen2.5-coder-7b", "qwen", id="TGI, by name"),
]


@pytest.mark.parametrize(("api", "fim", "model", "resolved"), FIMS)
def test_fim_is_resolved(api: str, fim: str, model: str, resolved: str) -> None:
    config = ProviderConfig("a", api, LOOPBACK, model, fim=fim)  # type: ignore[arg-type] # the names are above
    assert profile_of(config).fim == resolved


@pytest.mark.parametrize(
    ("api", "fim"),
    [("openai-chat", "native"), ("openai-chat", "qwen"), ("anthropic", "native"), ("gemini", "none"),
     ("mistral-fim", "none"), ("tgi", "native"), ("openai-completions", "nonsense")],
)  # fmt: skip
def test_a_way_that_an_api_does_not_have_is_refused(api: str, fim: str) -> None:
    with pytest.raises(ConfigError, match="mine"):
        profile_of(ProviderConfig("mine", api, LOOPBACK, "m", fim=fim))  # type: ignore[arg-type] # as above


def test_a_local_model_has_no_deadline_while_it_works() -> None:
    provider = make_provider(ProviderConfig("a", "ollama", LOOPBACK, "m"), None)
    for deadlines in provider._endpoint.deadlines.values():
        assert (deadlines.first_s, deadlines.idle_s, deadlines.total_s) == (None, None, None)


def test_the_users_timeout_bounds_the_whole() -> None:
    remote = ProviderConfig("a", "mistral-fim", "https://api.example/v1", "m", timeout_s=60)
    deadlines = make_provider(remote, None)._endpoint.deadlines[Patience.TYPING]
    assert (deadlines.total_s, deadlines.first_s) == (60, 48)


def test_the_address_of_the_openai_twin_is_taken_for_a_servers_own_api() -> None:
    provider = make_provider(ProviderConfig("a", "ollama", f"{LOOPBACK}/v1/", "m"), None)
    assert provider._endpoint.base_url == LOOPBACK
