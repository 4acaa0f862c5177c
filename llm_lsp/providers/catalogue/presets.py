"""Known model APIs: addresses, models and quirks as data.

These change often, so a user's table with the same name overrides any field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from llm_lsp.config.settings import Api, ProviderConfig
from llm_lsp.core.privacy.addresses import is_loopback, origin_of
from llm_lsp.providers.catalogue.quirks import ModelQuirks, Quirks, with_settings


@dataclass(frozen=True, slots=True)
class Preset:
    """A model API that can be enabled by name."""

    name: str
    api: Api
    base_url: str = ""
    """Empty if every user has a different address."""
    key_env: str = ""
    """Usual name of the environment variable with the key; empty if no key is needed."""
    model: str = ""
    """Empty if the user must choose one, or the server has its own."""
    fim: str = "auto"
    extra_body: Mapping[str, object] = field(default_factory=dict)
    cancel_stops_billing: bool = True
    """https://openrouter.ai/docs/api-reference/streaming lists the providers that stop."""
    quirks: Quirks = field(default_factory=Quirks)
    models: tuple[ModelQuirks, ...] = ()
    """Models with different quirks; the first match applies."""
    note: str = ""
    """One line worth knowing before choosing it."""

    @property
    def is_local(self) -> bool:
        """Whether it is for a server on this machine."""
        return is_loopback(self.base_url)

    def quirks_for(self, model: str) -> Quirks:
        """Return the quirks of one of its models."""
        return next((each.quirks for each in self.models if each.fits(model)), self.quirks)


_ASKED = Quirks(ask_usage=True)
_DISABLED = {"thinking": {"type": "disabled"}}
_NO_EFFORT = {"reasoning_effort": "none"}
_NO_TEMPLATE_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}

# What every API of this dialect accepts.
_BY_API: Mapping[str, Quirks] = {
    # Claude 4.7 and later refuse a temperature, 4.6 and later a pre-filled answer. Earlier models accept one that does
    # not end in white space, which the beginning of a line of code often does, so it is not used for them either.
    "anthropic": Quirks(max_stops=None, takes_temperature=False, key_header="x-api-key"),
    "gemini": Quirks(max_stops=5, key_header="x-goog-api-key"),
    "llamacpp-infill": Quirks(
        max_stops=None, ask_usage=True, ask_logprobs=True, prefill="plain", thinking_off=_NO_TEMPLATE_THINKING
    ),
    "ollama": Quirks(max_stops=None, ask_logprobs=True),
    "tgi": Quirks(ask_logprobs=True),
}  # fmt: skip

# OpenAI's models by generation, also on Azure, where a deployment is usually named after its model.
# https://platform.openai.com/docs/guides/reasoning
_OPENAI = Quirks(
    max_tokens_field="max_completion_tokens", takes_temperature=False, ask_usage=True, thinking_off=_NO_EFFORT,
    affinity_field="prompt_cache_key",
)  # fmt: skip
_OPENAI_MODELS = (
    # These bill what is written into the cache, and take explicit breakpoints.
    ModelQuirks(r"^gpt-(5\.[6-9]|[6-9])", replace(_OPENAI, cache_breakpoints=True)),
    # Reasoning models refuse logprobs.
    ModelQuirks(
        r"^(gpt-4|gpt-3\.5|chatgpt-4)",
        replace(_OPENAI, takes_temperature=True, thinking_off={}, ask_logprobs=True),
    ),
    # Neither of these two takes stop strings. "minimal" may still think a little, and is the least there is.
    ModelQuirks(r"^o\d", replace(_OPENAI, max_stops=0, thinking_off={"reasoning_effort": "low"}, always_thinks=True)),
    ModelQuirks(
        r"^gpt-5(-mini|-nano)?(-20\d\d|$)",
        replace(_OPENAI, max_stops=0, thinking_off={"reasoning_effort": "minimal"}),
    ),
)  # fmt: skip

# https://platform.claude.com/docs/en/build-with-claude/extended-thinking
_ANTHROPIC = replace(_BY_API["anthropic"], thinking_off=_DISABLED)
_ANTHROPIC_MODELS = (
    # These think only if asked to.
    ModelQuirks(r"claude-3|-4-[0-5]\b|-4-20\d\d", replace(_BY_API["anthropic"], takes_temperature=True)),
    ModelQuirks(r"sonnet-5-5", replace(_ANTHROPIC, thinking_off={"thinking": {"type": "between_tools"}})),
    ModelQuirks(
        r"opus-5-5",
        replace(_ANTHROPIC, thinking_off={"output_config": {"effort": "low"}}, always_thinks=True),
    ),
)


def _gemini(**thinking: object) -> Quirks:
    return replace(_BY_API["gemini"], thinking_off={"generationConfig": {"thinkingConfig": thinking}})


# https://ai.google.dev/gemini-api/docs/thinking. From Gemini 3 on no sampling parameter is to be sent
# (https://ai.google.dev/gemini-api/docs/gemini-3).
_GEMINI = replace(_gemini(thinkingLevel="MINIMAL"), takes_temperature=False)
_GEMINI_MODELS = (
    ModelQuirks(r"gemini-2\.5-pro", replace(_gemini(thinkingBudget=128), always_thinks=True)),
    ModelQuirks(r"gemini-2\.5", _gemini(thinkingBudget=0)),
    ModelQuirks(r"gemini-(1|2\.0)|gemma", _BY_API["gemini"]),
    ModelQuirks(
        r"gemini-3.*pro", replace(_gemini(thinkingLevel="LOW"), takes_temperature=False, always_thinks=True)
    ),
)
_GROQ = Quirks(max_tokens_field="max_completion_tokens")
_GROQ_MODELS = (
    ModelQuirks(
        r"gpt-oss",
        replace(
            _GROQ, thinking_off={"reasoning_effort": "low", "include_reasoning": False}, always_thinks=True
        ),
    ),
    ModelQuirks(r"qwen", replace(_GROQ, thinking_off=_NO_EFFORT)),
)
# Kimi's sampling is fixed: https://platform.kimi.ai/docs/api/models-overview
_MOONSHOT = Quirks(
    max_tokens_field="max_completion_tokens",
    takes_temperature=False,
    prefill="partial",
    thinking_off=_DISABLED,
    affinity_field="prompt_cache_key",
)
_MOONSHOT_MODELS = (
    ModelQuirks(
        r"kimi-k2\.7-code|kimi-k3|kimi-k2-thinking", replace(_MOONSHOT, thinking_off={}, always_thinks=True)
    ),
    ModelQuirks(r"^moonshot-v1", replace(_MOONSHOT, takes_temperature=True, thinking_off={})),
)
# `session_id` also selects the upstream provider, so that its cache is read (sticky routing).
_OPENROUTER = Quirks(ask_usage=True, thinking_off=_NO_EFFORT, fim="chat", affinity_field="session_id")
# Those that fill the middle by `suffix`; any other model there is asked by chat.
_OPENROUTER_MODELS = (ModelQuirks(r"codestral|mercury-(coder|edit)", replace(_OPENROUTER, fim="native")),)
_MISTRAL = Quirks(prefill="prefix", affinity_field="prompt_cache_key")
_DEEPSEEK = Quirks(max_stops=16, ask_usage=True, ask_logprobs=True, prefill="prefix", thinking_off=_DISABLED)
_DASHSCOPE = Quirks(
    max_tokens_field="max_completion_tokens", ask_usage=True, prefill="partial",
    thinking_off={"enable_thinking": False},
)  # fmt: skip
# Models for code do not think, and the small one does not continue an answer.
_DASHSCOPE_MODELS = (
    ModelQuirks(r"coder-turbo", replace(_DASHSCOPE, prefill="never", thinking_off={})),
    ModelQuirks(r"coder", replace(_DASHSCOPE, thinking_off={})),
)
_SERVER = Quirks(ask_usage=True, ask_logprobs=True, thinking_off=_NO_TEMPLATE_THINKING)

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        # Fill-in-the-middle, hosted.
        Preset(
            "codestral", "mistral-fim", "https://codestral.mistral.ai/v1", "CODESTRAL_API_KEY",
            "codestral-latest", "native", cancel_stops_billing=False, quirks=_MISTRAL,
            note="the best hosted fill-in-the-middle; needs its own keys, not those of mistral",
        ),
        Preset(
            "mistral", "mistral-fim", "https://api.mistral.ai/v1", "MISTRAL_API_KEY",
            "codestral-latest", "native", cancel_stops_billing=False, quirks=_MISTRAL,
        ),
        Preset(
            "deepseek", "openai-completions", "https://api.deepseek.com/beta", "DEEPSEEK_API_KEY",
            "deepseek-flash", "native", quirks=_DEEPSEEK, note="costs double at peak hours",
        ),
        Preset(
            "inception", "mistral-fim", "https://api.inceptionlabs.ai/v1", "INCEPTION_API_KEY",
            "mercury-edit-2", "native", quirks=Quirks(takes_temperature=False, ask_usage=True),
            note="for questions choose a chat model, such as mercury-2",
        ),
        Preset(
            "qianfan", "openai-completions", "https://qianfan.baidubce.com/v2", "QIANFAN_API_KEY",
            "qwen3-coder-30b-a3b-instruct", "native", cancel_stops_billing=False, quirks=_ASKED,
        ),
        Preset(
            "siliconflow", "openai-completions", "https://api.siliconflow.cn/v1", "SILICONFLOW_API_KEY",
            "Qwen/Qwen2.5-Coder-7B-Instruct", "native",
            quirks=Quirks(max_stops=16, thinking_off={"enable_thinking": False}),
        ),
        Preset(
            "dashscope", "openai-completions", "https://dashscope.aliyuncs.com/compatible-mode/v1",
            "DASHSCOPE_API_KEY", "qwen-coder-turbo", "qwen", cancel_stops_billing=False,
            quirks=_DASHSCOPE, models=_DASHSCOPE_MODELS, note="accepts only keys of the Beijing region",
        ),
        Preset(
            "dashscope-intl", "openai-chat", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "DASHSCOPE_API_KEY", "qwen3-coder-flash", "chat", cancel_stops_billing=False, quirks=_DASHSCOPE,
            models=_DASHSCOPE_MODELS,
            note="accepts only keys of the Singapore region, and has no completions API",
        ),
        Preset(
            "fireworks", "openai-completions", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY",
            quirks=Quirks(ask_logprobs=True, affinity_header="x-session-affinity"),
            note="choose a base or coder model; they change often",
        ),
        Preset(
            "together", "openai-completions", "https://api.together.ai/v1", "TOGETHER_API_KEY",
            note="choose a base or coder model; they change often",
        ),
        # Servers on this machine.
        Preset("llamacpp", "llamacpp-infill", "http://127.0.0.1:8080", "LLAMA_API_KEY", quirks=_BY_API["llamacpp-infill"]),
        Preset(
            "ollama", "ollama", "http://127.0.0.1:11434", "", "qwen2.5-coder:7b", quirks=_BY_API["ollama"],
            note="loads the model at the first request",
        ),
        Preset("vllm", "openai-completions", "http://127.0.0.1:8000/v1", "VLLM_API_KEY", quirks=_SERVER),
        Preset("sglang", "openai-completions", "http://127.0.0.1:30000/v1", quirks=_SERVER),
        Preset("lmstudio", "openai-completions", "http://127.0.0.1:1234/v1", "LM_API_TOKEN"),
        Preset("tgi", "tgi", "http://127.0.0.1:8080", "HF_TOKEN", quirks=_BY_API["tgi"], note="set fim to the template family of its model"),
        # Chat models that are asked to fill the gap.
        Preset(
            "openai", "openai-chat", "https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-6-luna", "chat",
            {"stream_options": {"include_obfuscation": False}}, quirks=_OPENAI, models=_OPENAI_MODELS,
        ),
        Preset(
            "azure", "openai-chat", "", "AZURE_OPENAI_API_KEY", fim="chat",
            quirks=replace(_OPENAI, key_header="api-key"),
            models=tuple(replace(each, quirks=replace(each.quirks, key_header="api-key")) for each in _OPENAI_MODELS),
            note="set base_url to https://RESOURCE.openai.azure.com/openai/v1, and model to the deployment's name",
        ),
        Preset(
            "anthropic", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", "claude-haiku-5-5", "chat",
            quirks=_ANTHROPIC, models=_ANTHROPIC_MODELS,
        ),
        Preset(
            "gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY",
            "gemini-3.5-flash-lite", "chat", cancel_stops_billing=False,
            quirks=_GEMINI, models=_GEMINI_MODELS,
        ),
        Preset(
            "deepseek-chat", "openai-chat", "https://api.deepseek.com/beta", "DEEPSEEK_API_KEY",
            "deepseek-flash", "chat", quirks=_DEEPSEEK,
        ),
        Preset(
            "groq", "openai-chat", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "qwen/qwen3.8-27b", "chat",
            cancel_stops_billing=False, quirks=_GROQ, models=_GROQ_MODELS,
            note="the free tier is soon used up while typing",
        ),
        Preset(
            "openrouter", "openai-completions", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY",
            "mistralai/codestral-2508", "auto", {"provider": {"sort": "latency"}}, cancel_stops_billing=False,
            quirks=_OPENROUTER, models=_OPENROUTER_MODELS,
        ),
        Preset(
            "openrouter-chat", "openai-chat", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY",
            "mistralai/codestral-2508", "chat", {"provider": {"sort": "latency"}}, cancel_stops_billing=False,
            quirks=_OPENROUTER,
        ),
        Preset(
            "zai", "openai-chat", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", "glm-4.7-flash", "chat",
            quirks=Quirks(max_stops=1, thinking_off=_DISABLED),
        ),
        Preset(
            "zhipu", "openai-chat", "https://open.bigmodel.cn/api/paas/v4", "ZHIPUAI_API_KEY", "glm-4.7-flash",
            "chat", quirks=Quirks(max_stops=1, thinking_off=_DISABLED),
        ),
        Preset(
            "moonshot", "openai-chat", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY",
            "kimi-k2.6", "chat", quirks=_MOONSHOT, models=_MOONSHOT_MODELS,
            note="for keys of moonshot.cn use the preset moonshot-cn",
        ),
        Preset(
            "moonshot-cn", "openai-chat", "https://api.moonshot.cn/v1", "MOONSHOT_API_KEY",
            "kimi-k2.6", "chat", quirks=_MOONSHOT, models=_MOONSHOT_MODELS,
        ),
        Preset(
            "hf", "openai-chat", "https://router.huggingface.co/v1", "HF_TOKEN", fim="chat",
            cancel_stops_billing=False, note="choose a model",
        ),
        Preset(
            "github-models", "openai-chat", "https://models.github.ai/inference", "GITHUB_TOKEN", fim="chat",
            note="choose a model; the free tier has 10 requests a minute and about 100 a day",
        ),
        Preset(
            "bedrock", "openai-chat", "", "AWS_BEARER_TOKEN_BEDROCK", fim="chat", cancel_stops_billing=False,
            note="set base_url to https://bedrock-runtime.REGION.amazonaws.com/openai/v1, and choose a model",
        ),
        Preset(
            "litellm", "openai-chat", "http://127.0.0.1:4000/v1", "LITELLM_API_KEY", fim="chat",
            quirks=replace(_ASKED, affinity_header="x-litellm-session-id"),
            note="a gateway: its operator decides where requests go",
        ),
    )
}  # fmt: skip


def preset_config(name: str) -> ProviderConfig:
    """Return a preset as provider settings; raises KeyError if there is none of that name."""
    preset = PRESETS[name]
    return ProviderConfig(
        name,
        preset.api,
        preset.base_url,
        preset.model,
        api_key_env=preset.key_env,
        fim=preset.fim,
        extra_body=preset.extra_body,
        cancel_stops_billing=preset.cancel_stops_billing,
    )


PRESET_CONFIGS: Mapping[str, ProviderConfig] = {name: preset_config(name) for name in PRESETS}


def preset_of(config: ProviderConfig) -> Preset | None:
    """Return the preset that matches a provider's address and dialect, or its name if the preset has no address.

    So a user's own table with a preset's address behaves like the preset.
    """
    origin = origin_of(config.base_url)
    for preset in PRESETS.values():
        is_named = preset.name == config.name and (origin.is_loopback or not preset.base_url)
        is_there = bool(preset.base_url) and origin == origin_of(preset.base_url)
        if preset.api == config.api and (is_named or is_there):
            return preset
    return None


def quirks_of(config: ProviderConfig) -> Quirks:
    """Return what the API accepts for the configured model; the user's settings take precedence."""
    preset = preset_of(config)
    known = preset.quirks_for(config.model) if preset else _BY_API.get(config.api, Quirks())
    return with_settings(known, config)
