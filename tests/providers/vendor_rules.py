"""What each vendor's API refuses, by its document, for the endpoints that presets use.

A server that follows these rules refuses fields that the document does not list, also where the vendor would pass
them over: a preset sends nothing that is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from llm_lsp.core.json import Json
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text

SAMPLING = frozenset({"temperature", "top_p", "top_k"})
CHAT_ROLES = frozenset({"system", "user", "assistant"})


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Endpoint:
    """What one path accepts."""

    fields: frozenset[str]
    required: frozenset[str]
    limit: str = "max_tokens"
    """The field with the most tokens of an answer."""
    most_tokens: int = 1 << 17
    max_stops: int | None = None
    stops: str = "stop"
    roles: frozenset[str] = CHAT_ROLES
    prefill: str = ""
    """The field of a last message of the assistant's; "" where the last message must be the user's."""


@dataclass(frozen=True)
class Forbidden:
    """What some models refuse."""

    models: str
    """Regular expression, searched in the model's name."""
    fields: frozenset[str]


@dataclass(frozen=True)
class VendorRules:
    """One vendor's API."""

    document: str
    endpoints: Mapping[str, Endpoint]
    """By the path behind the host, without the query."""
    key_header: str = "authorization"
    forbidden: tuple[Forbidden, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """Regular expressions that a field's JSON-like text must match, by its dotted name."""

    def refusals(self, path: str, headers: Mapping[str, str], body: Json) -> Iterator[str]:
        """Yield each reason for which the vendor refuses a request."""
        place, _, _ = path.partition("?")
        endpoint = next((each for name, each in self.endpoints.items() if re.fullmatch(name, place)), None)
        if endpoint is None:
            yield f"no such path: {place}"
            return
        if self.key_header not in headers:
            yield f"no key in {self.key_header}"
        names = dict(_flat(body))
        yield from (f"unknown field: {name}" for name in body if name not in endpoint.fields)
        yield from (f"missing field: {name}" for name in endpoint.required if name not in names)
        model = as_text(body.get("model")) or place
        for rule in self.forbidden:
            if re.search(rule.models, model):
                yield from (f"not supported with this model: {name}" for name in rule.fields if name in names)
        for name, pattern in self.values.items():
            if name in names and not re.fullmatch(pattern, str(names[name])):
                yield f"wrong value of {name}: {names[name]}"
        yield from _limits(endpoint, names)
        yield from _roles(endpoint, body)


def _flat(body: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in body.items():
        yield before + name, value
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")


def _limits(endpoint: Endpoint, names: Mapping[str, object]) -> Iterator[str]:
    tokens = as_int(names.get(endpoint.limit))
    if tokens is not None and not 1 <= tokens <= endpoint.most_tokens:
        yield f"wrong value of {endpoint.limit}: {tokens}"
    stops = as_list(names.get(endpoint.stops))
    if endpoint.max_stops is not None and len(stops) > endpoint.max_stops:
        yield f"array too long: {len(stops)} stop strings"
    if any(not as_text(stop) for stop in stops):
        yield "an empty stop string"


def _roles(endpoint: Endpoint, body: Json) -> Iterator[str]:
    messages = [as_map(each) for each in as_list(body.get("messages") or body.get("contents"))]
    roles = [as_text(message.get("role")) for message in messages]
    yield from (f"wrong role: {role}" for role in roles if role not in endpoint.roles)
    if not messages:
        return
    if roles[-1] != "user" and (not endpoint.prefill or endpoint.prefill not in messages[-1]):
        yield f"the last message is the {roles[-1]}'s"
    yield from (f"unknown field of a message: {name}" for name in _message_fields(endpoint, messages))


def _message_fields(endpoint: Endpoint, messages: list[Mapping[str, object]]) -> Iterator[str]:
    known = {"role", "content", "parts", endpoint.prefill}
    for message in messages:
        yield from (name for name in message if name not in known)


_CHAT = words("model messages stop stream temperature top_p max_tokens")
_COMPLETIONS = words("model prompt stop stream temperature top_p max_tokens")
_USAGE = words("stream_options")

CHAT = Endpoint(_CHAT, words("messages max_tokens"), max_stops=4)
COMPLETIONS = Endpoint(_COMPLETIONS, words("prompt max_tokens"), max_stops=4)
_NEW_LIMIT = Endpoint(
    _CHAT - {"max_tokens"} | words("max_completion_tokens reasoning_effort"),
    words("messages max_completion_tokens"),
    "max_completion_tokens",
    max_stops=4,
)


def also(endpoint: Endpoint, fields: str, **changes: object) -> Endpoint:
    return replace(endpoint, fields=endpoint.fields | words(fields), **changes)  # type: ignore[arg-type] # its names


_REASONING = r"^(gpt-[5-9]|o\d)"
_OPENAI = VendorRules(
    "https://developers.openai.com/api/reference/resources/chat",
    {
        "/(openai/)?v1/chat/completions": also(
            _NEW_LIMIT,
            "stream_options logprobs verbosity prompt_cache_key prompt_cache_options safety_identifier store",
        )
    },
    forbidden=(
        Forbidden(_REASONING, SAMPLING | {"logprobs"}),
        Forbidden(r"^(o\d|gpt-5(-mini|-nano)?(-20|$))", words("stop")),
        Forbidden(r"^gpt-(4|5(-|$|\.[0-5]))", words("prompt_cache_options")),
    ),
    values={
        "reasoning_effort": "none|minimal|low|medium|high|xhigh|max",
        "prompt_cache_options.mode": "implicit|explicit",
        "prompt_cache_key": r".{1,64}",
    },
)
_MISTRAL = {
    "/v1/fim/completions": also(COMPLETIONS, "suffix min_tokens random_seed metadata prompt_cache_key"),
    "/v1/chat/completions": also(CHAT, "random_seed prompt_cache_key", prefill="prefix"),
}
_DEEPSEEK = VendorRules(
    "https://api-docs.deepseek.com/api/create-completion",
    {
        "/beta/completions": also(
            COMPLETIONS, "suffix stream_options echo logprobs user_id", most_tokens=4096, max_stops=16
        ),
        "/beta/chat/completions": also(
            CHAT, "stream_options thinking logprobs user_id", prefill="prefix", max_stops=16
        ),
    },
    values={"thinking.type": "enabled|disabled", "user_id": r"[\w-]{1,512}"},
)
_DASHSCOPE = VendorRules(
    "https://help.aliyun.com/zh/model-studio/completions",
    {
        "/compatible-mode/v1/completions": also(COMPLETIONS, "stream_options seed presence_penalty"),
        "/compatible-mode/v1/chat/completions": also(
            _NEW_LIMIT, "stream_options enable_thinking seed", prefill="partial"
        ),
    },
    forbidden=(Forbidden("coder", words("enable_thinking")),),
)
_OPENROUTER = VendorRules(
    "https://openrouter.ai/docs/api/reference/overview",
    {
        "/api/v1/completions": also(
            COMPLETIONS, "suffix stream_options provider models user session_id", roles=frozenset()
        ),
        "/api/v1/chat/completions": also(
            CHAT, "stream_options provider models reasoning reasoning_effort user session_id"
        ),
    },
    values={"provider.sort": "price|throughput|latency", "session_id": ".{1,256}", "user": ".{1,256}"},
)
_MOONSHOT = VendorRules(
    "https://platform.kimi.ai/docs/api/chat",
    {
        "/v1/chat/completions": also(
            _NEW_LIMIT, "stream_options thinking prompt_cache_key safety_identifier", prefill="partial"
        )
    },
    forbidden=(
        Forbidden("kimi", SAMPLING | {"reasoning_effort"}),
        Forbidden("k2.7-code|k3", words("thinking")),
    ),
    values={"thinking.type": "enabled|disabled"},
)
_ZHIPU = VendorRules(
    "https://docs.bigmodel.cn/api-reference",
    {"/api/paas/v4/chat/completions": also(CHAT, "thinking do_sample user_id", max_stops=1)},
    values={"thinking.type": "enabled|disabled", "user_id": ".{6,128}"},
)
_SERVER = {
    "/v1/completions": also(COMPLETIONS, "stream_options chat_template_kwargs logprobs"),
    "/v1/chat/completions": also(CHAT, "stream_options chat_template_kwargs logprobs"),
}
_LLAMACPP = words(
    "n_predict n_probs temperature stop stream cache_prompt id_slot n_indent t_max_predict_ms samplers grammar"
    " response_fields timings_per_token return_progress top_k top_p model"
)
_HOSTED = {
    "completions": also(COMPLETIONS, "stream_options user prompt_cache_key"),
    "chat": also(CHAT, "stream_options user prompt_cache_key"),
}


def _both(root: str) -> dict[str, Endpoint]:
    return {f"{root}/completions": _HOSTED["completions"], f"{root}/chat/completions": _HOSTED["chat"]}


RULES: Mapping[str, VendorRules] = {
    "codestral": VendorRules("https://docs.mistral.ai/api/#tag/fim", _MISTRAL),
    "mistral": VendorRules("https://docs.mistral.ai/api/#tag/fim", _MISTRAL),
    "deepseek": _DEEPSEEK,
    "deepseek-chat": _DEEPSEEK,
    "inception": VendorRules(
        "https://docs.inceptionlabs.ai/api-reference/fim",
        {
            "/v1/fim/completions": Endpoint(
                words("model prompt suffix stop stream stream_options top_p max_tokens presence_penalty"),
                words("model prompt"),
                max_stops=4,
            ),
            "/v1/chat/completions": Endpoint(
                words("model messages stop stream stream_options max_tokens reasoning_effort"),
                words("model messages"),
                max_stops=4,
            ),
        },
    ),
    "qianfan": VendorRules(
        "https://cloud.baidu.com/doc/qianfan-api/s/Dm8r4qymf",
        {
            "/v2/completions": also(COMPLETIONS, "suffix stream_options"),
            "/v2/chat/completions": also(CHAT, "stream_options"),
        },
    ),
    "siliconflow": VendorRules(
        "https://docs.siliconflow.cn/en/userguide/guides/fim",
        {
            "/v1/completions": also(COMPLETIONS, "suffix", max_stops=16),
            "/v1/chat/completions": also(CHAT, "enable_thinking", max_stops=16),
        },
    ),
    "dashscope": _DASHSCOPE,
    "dashscope-intl": replace(
        _DASHSCOPE, endpoints={k: v for k, v in _DASHSCOPE.endpoints.items() if "chat" in k}
    ),
    "fireworks": VendorRules(
        "https://docs.fireworks.ai/api-reference",
        {path: also(each, "logprobs") for path, each in _both("/inference/v1").items()},
    ),
    "together": VendorRules("https://docs.together.ai/reference", _both("/v1")),
    "llamacpp": VendorRules(
        "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        {
            "/infill": Endpoint(
                _LLAMACPP | words("input_prefix input_suffix input_extra prompt"),
                words("input_prefix input_suffix n_predict"),
                "n_predict",
            ),
            "/completion": Endpoint(_LLAMACPP | words("prompt"), words("prompt n_predict"), "n_predict"),
            "/v1/chat/completions": also(
                CHAT,
                "stream_options chat_template_kwargs logprobs cache_prompt id_slot return_progress timings_per_token",
                prefill="role",
                max_stops=None,
            ),
        },
    ),
    "ollama": VendorRules(
        "https://github.com/ollama/ollama/blob/main/docs/api.md",
        {
            "/api/generate": Endpoint(
                words("model prompt suffix raw stream options think keep_alive logprobs"),
                words("model prompt"),
                "options.num_predict",
                stops="options.stop",
            ),
            "/api/chat": Endpoint(
                words("model messages stream options think keep_alive logprobs"),
                words("model messages"),
                "options.num_predict",
                stops="options.stop",
            ),
        },
    ),
    "vllm": VendorRules("https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html", _SERVER),
    "sglang": VendorRules("https://docs.sglang.ai/basic_usage/openai_api_completions.html", _SERVER),
    "lmstudio": VendorRules(
        "https://lmstudio.ai/docs/developer/openai-compat",
        {"/v1/completions": COMPLETIONS, "/v1/chat/completions": CHAT},
    ),
    "tgi": VendorRules(
        "https://huggingface.co/docs/text-generation-inference/reference/api_reference",
        {
            "/generate_stream": Endpoint(
                words("inputs parameters"),
                words("inputs"),
                "parameters.max_new_tokens",
                max_stops=4,
                stops="parameters.stop",
            ),
            "/v1/chat/completions": CHAT,
        },
        forbidden=(Forbidden("/generate", words("parameters.temperature")),),
    ),
    "openai": _OPENAI,
    "azure": replace(_OPENAI, key_header="api-key"),
    "anthropic": VendorRules(
        "https://platform.claude.com/docs/en/api/messages",
        {
            "/v1/messages": Endpoint(
                words(
                    "model messages system max_tokens stop_sequences stream temperature thinking output_config"
                ),
                words("model messages max_tokens"),
                stops="stop_sequences",
                roles=words("user assistant"),
            )
        },
        "x-api-key",
        (
            Forbidden("(haiku|sonnet|opus)-5|opus-4-[78]", SAMPLING),
            Forbidden("opus-5-5", words("thinking")),
        ),
    ),
    "gemini": VendorRules(
        "https://ai.google.dev/api/generate-content",
        {
            r"/v1beta/models/[\w.-]+:streamGenerateContent": Endpoint(
                words("contents systemInstruction generationConfig safetySettings cachedContent"),
                words("contents"),
                "generationConfig.maxOutputTokens",
                max_stops=5,
                stops="generationConfig.stopSequences",
                roles=words("user model"),
            )
        },
        "x-goog-api-key",
        (
            Forbidden(
                "gemini-3", frozenset(f"generationConfig.{name}" for name in ("temperature", "topP", "topK"))
            ),
        ),
        {"generationConfig.thinkingConfig.thinkingLevel": "MINIMAL|LOW|MEDIUM|HIGH|XHIGH"},
    ),
    "groq": VendorRules(
        "https://console.groq.com/docs/api-reference",
        {
            "/openai/v1/chat/completions": also(
                _NEW_LIMIT, "include_reasoning reasoning_format user service_tier"
            )
        },
        forbidden=(Forbidden("gpt-oss", words("reasoning_format")),),
    ),
    "openrouter": _OPENROUTER,
    "openrouter-chat": _OPENROUTER,
    "zai": _ZHIPU,
    "zhipu": _ZHIPU,
    "moonshot": _MOONSHOT,
    "moonshot-cn": _MOONSHOT,
    "hf": VendorRules(
        "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
        {"/v1/chat/completions": CHAT},
    ),
    "github-models": VendorRules(
        "https://docs.github.com/en/rest/models/inference", {"/inference/chat/completions": CHAT}
    ),
    "bedrock": VendorRules(
        "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html",
        {"/openai/v1/chat/completions": CHAT},
    ),
    "litellm": VendorRules(
        "https://docs.litellm.ai/docs/proxy/user_keys",
        {"/v1/chat/completions": also(CHAT, "stream_options")},
    ),
}
