"""Model APIs by name: addresses, models and quirks as data; knows nothing of how they are asked.

Models and addresses change often: a user's table with the same name overrides any field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_lsp.config.values import Api, ProviderConfig
from llm_lsp.core.addresses import origin_of


@dataclass(frozen=True, slots=True)
class Quirks:
    """What an API takes beside what its dialect says; the defaults offend nobody."""

    max_stops: int | None = 4
    """OpenAI, Azure, Groq, TGI and vLLM refuse a fifth; where no limit is documented, four are safe."""
    max_tokens_field: str = "max_tokens"
    takes_temperature: bool = True
    ask_usage: bool = False
    """Whether `stream_options.include_usage` is known to be accepted."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One model API, as it is enabled by its name."""

    name: str
    api: Api
    base_url: str
    key_envs: tuple[str, ...] = ()
    """Usual names of the variable with its key; none where no key is needed."""
    model: str = ""
    """Empty where the user must name one, or where a server has one of its own."""
    fim: str = "auto"
    extra_body: Mapping[str, object] = field(default_factory=dict)
    """Above all what turns thinking off: else the first text comes after seconds, and `max_tokens` is eaten."""
    cancel_stops_billing: bool = True
    """https://openrouter.ai/docs/api-reference/streaming has a list of those that stop."""
    quirks: Quirks = Quirks()
    note: str = ""
    """One line worth knowing before choosing it."""

    @property
    def is_local(self) -> bool:
        """Whether it stands for a server on this machine."""
        return origin_of(self.base_url).is_loopback


_ASKED = Quirks(ask_usage=True)
_UNLIMITED_STOPS = Quirks(max_stops=None)
_NO_THINKING = {"thinking": {"type": "disabled"}}
_NO_EFFORT = {"reasoning_effort": "none"}

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        # Fill-in-the-middle, hosted.
        Preset(
            "codestral", "mistral-fim", "https://codestral.mistral.ai/v1", ("CODESTRAL_API_KEY",),
            "codestral-latest", "native", cancel_stops_billing=False,
            note="the best hosted fill-in-the-middle; its keys are not those of mistral",
        ),
        Preset(
            "mistral", "mistral-fim", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",),
            "codestral-latest", "native", cancel_stops_billing=False,
        ),
        Preset(
            "deepseek", "openai-completions", "https://api.deepseek.com/beta", ("DEEPSEEK_API_KEY",),
            "deepseek-flash", "native", quirks=Quirks(max_stops=16, ask_usage=True),
            note="costs double at peak hours",
        ),
        Preset(
            "inception", "openai-completions", "https://api.inceptionlabs.ai/v1/fim", ("INCEPTION_API_KEY",),
            "mercury-edit-2", "native", quirks=Quirks(takes_temperature=False, ask_usage=True),
        ),
        Preset(
            "qianfan", "openai-completions", "https://qianfan.baidubce.com/v2", ("QIANFAN_API_KEY",),
            "qwen3-coder-30b-a3b-instruct", "native", cancel_stops_billing=False, quirks=_ASKED,
        ),
        Preset(
            "siliconflow", "openai-completions", "https://api.siliconflow.cn/v1", ("SILICONFLOW_API_KEY",),
            "Qwen/Qwen2.5-Coder-7B-Instruct", "native", quirks=Quirks(max_stops=16),
        ),
        Preset(
            "dashscope", "openai-completions", "https://dashscope.aliyuncs.com/compatible-mode/v1",
            ("DASHSCOPE_API_KEY",), "qwen2.5-coder-32b-instruct", "qwen", cancel_stops_billing=False, quirks=_ASKED,
            note="takes keys of the Beijing region only",
        ),
        Preset(
            "fireworks", "openai-completions", "https://api.fireworks.ai/inference/v1", ("FIREWORKS_API_KEY",),
            note="name a base or coder model; they change often",
        ),
        Preset(
            "together", "openai-completions", "https://api.together.ai/v1", ("TOGETHER_API_KEY",),
            note="name a base or coder model; they change often",
        ),
        # Servers on this machine.
        Preset("llamacpp", "llamacpp-infill", "http://127.0.0.1:8080", ("LLAMA_API_KEY",), quirks=_UNLIMITED_STOPS),
        Preset(
            "ollama", "ollama", "http://127.0.0.1:11434", (), "qwen2.5-coder:7b", quirks=_UNLIMITED_STOPS,
            note="loads the model at the first request",
        ),
        Preset("vllm", "openai-completions", "http://127.0.0.1:8000/v1", ("VLLM_API_KEY",), quirks=_ASKED),
        Preset("sglang", "openai-completions", "http://127.0.0.1:30000/v1", (), quirks=_ASKED),
        Preset("lmstudio", "openai-completions", "http://127.0.0.1:1234/v1", ("LM_API_TOKEN",)),
        # Chat models that are asked to fill the gap.
        Preset(
            "openai", "openai-chat", "https://api.openai.com/v1", ("OPENAI_API_KEY",), "gpt-6-luna", "chat",
            _NO_EFFORT | {"stream_options": {"include_obfuscation": False}},
            quirks=Quirks(max_tokens_field="max_completion_tokens", takes_temperature=False, ask_usage=True),
        ),
        Preset(
            "groq", "openai-chat", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",), "openai/gpt-oss-20b", "chat",
            {"reasoning_effort": "low", "include_reasoning": False}, cancel_stops_billing=False,
            note="this model cannot stop thinking; the free tier ends soon at typing speed",
        ),
        Preset(
            "openrouter", "openai-chat", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",),
            "mistralai/codestral-2508", "chat", _NO_EFFORT | {"provider": {"sort": "latency"}}, quirks=_ASKED,
        ),
        Preset(
            "zai", "openai-chat", "https://api.z.ai/api/paas/v4", ("ZAI_API_KEY",), "glm-4.7-flash", "chat",
            _NO_THINKING, quirks=Quirks(max_stops=1),
        ),
        Preset(
            "zhipu", "openai-chat", "https://open.bigmodel.cn/api/paas/v4", ("ZHIPUAI_API_KEY",), "glm-4.7-flash",
            "chat", _NO_THINKING, quirks=Quirks(max_stops=1),
        ),
        Preset(
            "moonshot", "openai-chat", "https://api.moonshot.ai/v1", ("MOONSHOT_API_KEY",),
            "kimi-k2.7-code-highspeed", "chat", _NO_THINKING, quirks=Quirks(takes_temperature=False),
            note="keys of moonshot.cn need base_url = \"https://api.moonshot.cn/v1\"",
        ),
        Preset(
            "hf", "openai-chat", "https://router.huggingface.co/v1", ("HF_TOKEN",), fim="chat",
            cancel_stops_billing=False, note="name a model",
        ),
        Preset(
            "github-models", "openai-chat", "https://models.github.ai/inference", ("GITHUB_TOKEN",), fim="chat",
            note="name a model; the free tier has 10 requests a minute and about 100 a day",
        ),
    )
}  # fmt: skip


def preset_config(name: str) -> ProviderConfig:
    """Give a preset as settings; raises KeyError where there is none of that name."""
    preset = PRESETS[name]
    return ProviderConfig(
        name,
        preset.api,
        preset.base_url,
        preset.model,
        api_key_env=preset.key_envs[0] if preset.key_envs else "",
        fim=preset.fim,
        extra_body=preset.extra_body,
        cancel_stops_billing=preset.cancel_stops_billing,
    )


PRESET_CONFIGS: Mapping[str, ProviderConfig] = {name: preset_config(name) for name in PRESETS}


def quirks_of(config: ProviderConfig) -> Quirks:
    """Find an API's quirks by its address and dialect, or by its name where it is on this machine.

    So a table of the user's own with a preset's address works as the preset does.
    """
    origin = origin_of(config.base_url)
    for preset in PRESETS.values():
        is_same_place = origin == origin_of(preset.base_url) or (
            origin.is_loopback and preset.name == config.name
        )
        if preset.api == config.api and is_same_place:
            return preset.quirks
    return _UNLIMITED_STOPS if config.api in ("llamacpp-infill", "ollama") else Quirks()
