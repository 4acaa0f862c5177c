"""The documents that the presets were checked against, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

# After this many days a row may be out of date. Vendors announce the end of a model three to six months before.
MAX_AGE_DAYS = 180


@dataclass(frozen=True, slots=True)
class VendorDocument:
    """A vendor's page, and the fields of a preset that were checked against it."""

    fields: str
    """Of `FIELDS`, separated by commas."""
    address: str
    checked: str
    """As "2026-12-01"."""


FIELDS = ("address", "model", "prompt", "limits", "thinking", "billing")
"""What a preset states: address and key; default model; how it is asked; stop strings, token limit, sampling; what
turns thinking off; whether closing the connection stops the bill."""
AFFINITY = "affinity"
"""What only some presets state: the field or header that sends the calls about one document to the same cache."""

_FIRST, _LATER = "2026-11-22", "2026-12-01"
_BILLING = VendorDocument("billing", "https://openrouter.ai/docs/api-reference/streaming", _FIRST)
_ALL = "address, model, prompt, limits, thinking"


def _server(address: str) -> tuple[VendorDocument, ...]:
    return (VendorDocument(", ".join(FIELDS), address, _FIRST),)


_MISTRAL = (
    VendorDocument(f"{_ALL}, {AFFINITY}", "https://docs.mistral.ai/api/#tag/fim", _FIRST),
    _BILLING,
)
_OPENAI_AFFINITY = VendorDocument(AFFINITY, "https://platform.openai.com/docs/guides/prompt-caching", _LATER)
_OPENAI_LIMITS = VendorDocument("limits", "https://github.com/BerriAI/litellm/pull/28662", _LATER)
_OPENAI_THINKING = VendorDocument("thinking", "https://platform.openai.com/docs/guides/reasoning", _FIRST)
_ZHIPU = VendorDocument("prompt, limits, thinking", "https://docs.bigmodel.cn/api-reference", _FIRST)
_KIMI = (
    VendorDocument(
        "address, prompt",
        "https://platform.kimi.ai/docs/guide/use-partial-mode-feature-of-kimi-api",
        _LATER,
    ),
    VendorDocument("model", "https://platform.kimi.ai/docs/api/models-overview", _LATER),
    VendorDocument("limits, thinking", "https://java.agentscope.io/v2/en/integration/model/kimi", _LATER),
    VendorDocument(AFFINITY, "https://github.com/MoonshotAI/kimi-cli/pull/12", _LATER),
    _BILLING,
)
_OPENROUTER = (
    VendorDocument("address, thinking", "https://openrouter.ai/docs/api/reference/overview", _FIRST),
    VendorDocument(
        "model, prompt, limits",
        "https://openrouter.ai/docs/api-reference/completions/create-completions",
        _LATER,
    ),
    VendorDocument(AFFINITY, "https://openrouter.ai/docs/guides/best-practices/prompt-caching", _LATER),
    _BILLING,
)
_DASHSCOPE_LIMITS = VendorDocument(
    "limits", "https://www.alibabacloud.com/help/en/model-studio/api-compatibility-upgrade-notice", _LATER
)
_PARTIAL = "https://help.aliyun.com/zh/model-studio/partial-mode"

DOCUMENTS: Mapping[str, tuple[VendorDocument, ...]] = {
    "codestral": _MISTRAL,
    "mistral": _MISTRAL,
    "deepseek": (
        VendorDocument("address, prompt, limits", "https://api-docs.deepseek.com/api/create-completion", _FIRST),
        VendorDocument("model, thinking", "https://api-docs.deepseek.com/quick_start/pricing", _FIRST),
        _BILLING,
    ),
    "deepseek-chat": (
        VendorDocument("address, prompt, limits", "https://api-docs.deepseek.com/guides/chat_prefix_completion", _FIRST),
        VendorDocument("model, thinking", "https://api-docs.deepseek.com/quick_start/pricing", _FIRST),
        _BILLING,
    ),
    "inception": (
        VendorDocument(
            _ALL,
            "https://github.com/api-evangelist/inception-labs/blob/main/openapi/inception-labs-fim-api-openapi.yml",
            _LATER,
        ),
        _BILLING,
    ),
    "qianfan": (VendorDocument(_ALL, "https://cloud.baidu.com/doc/qianfan-api/s/Dm8r4qymf", _FIRST), _BILLING),
    "siliconflow": (
        VendorDocument("address, model, prompt", "https://docs.siliconflow.cn/en/userguide/guides/fim", _LATER),
        VendorDocument(
            "limits, thinking",
            "https://docs.siliconflow.cn/en/api-reference/chat-completions/chat-completions",
            _FIRST,
        ),
        _BILLING,
    ),
    "dashscope": (
        VendorDocument("address, prompt", "https://help.aliyun.com/zh/model-studio/completions", _LATER),
        _DASHSCOPE_LIMITS,
        VendorDocument("model, thinking", "https://help.aliyun.com/zh/model-studio/qwen-coder-turbo", _LATER),
        _BILLING,
    ),
    "dashscope-intl": (
        VendorDocument("address, prompt, thinking", _PARTIAL, _LATER),
        VendorDocument("model", "https://docs.apiyi.com/live/2026-10/bailian-models-offline.md", _LATER),
        _DASHSCOPE_LIMITS,
        _BILLING,
    ),
    "fireworks": (
        VendorDocument(_ALL, "https://docs.fireworks.ai/api-reference", _FIRST),
        VendorDocument(AFFINITY, "https://reference.langchain.com/python/langchain-fireworks/middleware", _LATER),
        _BILLING,
    ),
    "together": (VendorDocument(_ALL, "https://docs.together.ai/reference", _FIRST), _BILLING),
    "llamacpp": _server("https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"),
    "ollama": _server("https://github.com/ollama/ollama/blob/main/docs/api.md"),
    "vllm": _server("https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html"),
    "sglang": _server("https://docs.sglang.ai/basic_usage/openai_api_completions.html"),
    "lmstudio": _server("https://lmstudio.ai/docs/developer/openai-compat"),
    "tgi": _server("https://huggingface.co/docs/text-generation-inference/reference/api_reference"),
    "openai": (
        VendorDocument("address, prompt", "https://developers.openai.com/api/reference/resources/chat", _FIRST),
        VendorDocument("model", "https://developers.openai.com/api/docs/deprecations", _FIRST),
        _OPENAI_LIMITS,
        _OPENAI_THINKING,
        _OPENAI_AFFINITY,
        _BILLING,
    ),
    "azure": (
        VendorDocument(
            "address, model, prompt",
            "https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle",
            _FIRST,
        ),
        _OPENAI_LIMITS,
        _OPENAI_THINKING,
        _OPENAI_AFFINITY,
        _BILLING,
    ),
    "anthropic": (
        VendorDocument("address, model, prompt, limits", "https://platform.claude.com/docs/en/api/messages", _FIRST),
        VendorDocument(
            "thinking", "https://platform.claude.com/docs/en/build-with-claude/extended-thinking", _FIRST
        ),
        _BILLING,
    ),
    "gemini": (
        VendorDocument("address, model, prompt", "https://ai.google.dev/api/generate-content", _FIRST),
        VendorDocument("limits", "https://ai.google.dev/gemini-api/docs/gemini-3", _LATER),
        VendorDocument("thinking", "https://ai.google.dev/gemini-api/docs/thinking", _FIRST),
        _BILLING,
    ),
    "groq": (
        VendorDocument("address, prompt", "https://console.groq.com/docs/api-reference", _FIRST),
        VendorDocument("limits", "https://github.com/groq/groq-python/pull/175", _LATER),
        VendorDocument("model", "https://console.groq.com/docs/model/qwen/qwen3.8-27b", _LATER),
        VendorDocument("thinking", "https://console.groq.com/docs/reasoning", _LATER),
        _BILLING,
    ),
    "openrouter": _OPENROUTER,
    "openrouter-chat": _OPENROUTER,
    "zai": (VendorDocument("address, model", "https://docs.z.ai/api-reference", _FIRST), _ZHIPU, _BILLING),
    "zhipu": (VendorDocument("address, model", "https://docs.bigmodel.cn/api-reference", _FIRST), _ZHIPU, _BILLING),
    "moonshot": _KIMI,
    "moonshot-cn": _KIMI,
    "hf": (
        VendorDocument(_ALL, "https://huggingface.co/docs/inference-providers/tasks/chat-completion", _FIRST),
        _BILLING,
    ),
    "github-models": (
        VendorDocument(_ALL, "https://docs.github.com/en/rest/models/inference", _FIRST),
        _BILLING,
    ),
    "bedrock": (
        VendorDocument(
            _ALL, "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html", _FIRST
        ),
        _BILLING,
    ),
    "litellm": (
        *_server("https://docs.litellm.ai/docs/proxy/user_keys"),
        VendorDocument(AFFINITY, "https://docs.litellm.ai/docs/proxy/cache_aware_routing", _LATER),
    ),
}  # fmt: skip


def age_days(checked: str, today: date) -> int:
    """Return how many days ago a row was checked."""
    return (today - date.fromisoformat(checked)).days


def oldest(documents: Iterable[VendorDocument]) -> str:
    """Return the earliest day on which one of them was checked."""
    return min(document.checked for document in documents)


def documents_table() -> str:
    """Build the table of `docs/providers.md`; presets with the same documents share their rows."""
    names: dict[tuple[VendorDocument, ...], list[str]] = {}
    for name, documents in DOCUMENTS.items():
        names.setdefault(documents, []).append(f"`{name}`")
    rows = [
        f"| {', '.join(presets)} | {document.fields} | <{document.address}> | {document.checked} |"
        for documents, presets in names.items()
        for document in documents
    ]
    return "\n".join(("| preset | fields | document | checked |", "| --- | --- | --- | --- |", *rows))
