"""Recognizes a model server by its replies, and which of its models may be used.

One function per server. Each checks a property that only that server has, so that a gateway with the same API
is not mistaken for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.ollama_cloud import is_cloud_tag, runs_elsewhere
from llm_lsp.core.prompt.fim_families import family_of
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.discovery.local_probe import ProbeReply
from llm_lsp.providers.provider_factory import CONTEXT_TOKENS


class ProbeQuestions(Protocol):
    """A conversation with one server."""

    async def get(self, path: str) -> ProbeReply: ...

    async def post(self, path: str, body: Mapping[str, object]) -> ProbeReply: ...


@dataclass(frozen=True, slots=True)
class ServerVerdict:
    """What was found out about a server or one of its models."""

    reason: str
    """One clause for the user: why it can be used, or why not."""
    config: ProviderConfig | None = None
    """Settings that use it; None if it may not be used."""
    fills_middle: bool = False


Recognise = Callable[[ProbeQuestions, str], Awaitable[list[ServerVerdict]]]
"""Called with the server's address without a path; returns an empty list if nothing answered."""


async def llamacpp(ask: ProbeQuestions, url: str) -> list[ServerVerdict]:
    """Recognize llama.cpp, which names itself in a header, in /props and as the owner of its models."""
    health = await ask.get("/health")
    if health.status == 0:
        return []
    if health.server != "llama.cpp":
        return [ServerVerdict("is not a llama.cpp server")]
    if health.status == 503:
        return [ServerVerdict("is still loading its model")]
    props, models = await ask.get("/props"), await ask.get("/v1/models")
    if 401 in (props.status, models.status):
        return [ServerVerdict("needs a key: add it with `llm-lsp provider add llamacpp`")]
    entries = _entries(models, "data")
    if "default_generation_settings" not in props.body or not _all_owned_by(entries, "llamacpp"):
        return [ServerVerdict("is not a llama.cpp server")]
    # A router for several models reports which are loaded; a server with one model does not.
    loaded = [entry for entry in entries if _text(entry, "status", "value") in ("", "loaded")]
    if not loaded:
        return [ServerVerdict("has no model loaded")]
    window = as_int(as_map(props.body["default_generation_settings"]).get("n_ctx"))
    return [_llamacpp_model(url, as_text(entry.get("id")), window) for entry in loaded]


def _llamacpp_model(url: str, model: str, window: int | None) -> ServerVerdict:
    # Use our own template: the server supports only one family's, and silently cuts prompts to its batch size.
    fim = family_of(model) or "none"
    config = ProviderConfig("llamacpp", "llamacpp-infill", url, model, fim=fim, local=True)
    if window and window < CONTEXT_TOKENS:
        config = replace(config, context_tokens=window)
    return ServerVerdict(_usable(model, fim != "none"), config, fim != "none")


async def ollama(ask: ProbeQuestions, url: str) -> list[ServerVerdict]:
    """Recognize Ollama; use only models that are in memory and do not run in its cloud."""
    version = await ask.get("/api/version")
    if version.status == 0:
        return []
    running, tags = await ask.get("/api/ps"), await ask.get("/api/tags")
    if not as_text(version.body.get("version")) or "models" not in running.body or "models" not in tags.body:
        return [ServerVerdict("is not an Ollama server")]
    loaded = _entries(running, "models")
    if not loaded:
        # Do not load a model just because a file was opened: that takes gigabytes of memory.
        return [
            ServerVerdict(
                "has no model loaded: load one with `ollama run MODEL`, or use it always with `llm-lsp provider add ollama`"
            )
        ]
    known = {as_text(entry.get("name")): entry for entry in _entries(tags, "models")}
    return [await _ollama_model(ask, url, entry, known) for entry in loaded]


async def _ollama_model(
    ask: ProbeQuestions, url: str, entry: Mapping[str, object], known: Mapping[str, Mapping[str, object]]
) -> ServerVerdict:
    model = as_text(entry.get("name")) or as_text(entry.get("model"))
    show = await ask.post("/api/show", {"model": model})
    listed = known.get(model)
    if listed is None or show.status != 200:
        return ServerVerdict(f"{model} is not one of its models")
    if is_cloud_tag(model) or any(map(runs_elsewhere, (entry, listed, show.body))):
        return ServerVerdict(f"{model} runs in a cloud, not on this machine")
    capabilities = as_list(show.body.get("capabilities"))
    if capabilities and "completion" not in capabilities:
        return ServerVerdict(f"{model} does not generate text")
    # Servers before 0.6.4 do not list capabilities, but their templates show them.
    inserts = "insert" in capabilities or ".Suffix" in as_text(show.body.get("template"))
    fim = "native" if inserts else family_of(model) or "none"
    config = ProviderConfig("ollama", "ollama", url, model, fim=fim, local=True)
    return ServerVerdict(_usable(model, fim != "none"), config, fim != "none")


async def lmstudio(ask: ProbeQuestions, url: str) -> list[ServerVerdict]:
    """Recognize LM Studio, whose API lists loaded models, but since 0.4 not on which linked machine they run."""
    models = await ask.get("/api/v0/models")
    if models.status == 0:
        return []
    entries = _entries(models, "data")
    if not entries or any(entry.get("state") not in ("loaded", "not-loaded") for entry in entries):
        return [ServerVerdict("is not an LM Studio server, or has no models")]
    loaded = [
        as_text(entry.get("id"))
        for entry in entries
        if entry["state"] == "loaded" and entry.get("type") in ("llm", "vlm")
    ]
    if not loaded:
        return [ServerVerdict("has no model loaded")]
    if (await ask.get("/api/v1/models")).status == 200:
        # https://lmstudio.ai/docs/developer/core/lmlink: another machine may answer requests to this one.
        return [
            ServerVerdict(
                f"{loaded[0]} may run on another machine through LM Link, which the API does not report: "
                "to use it anyway, run `llm-lsp provider add lmstudio`"
            )
        ]
    return [_openai_model("lmstudio", url, model) for model in loaded]


async def vllm(ask: ProbeQuestions, url: str) -> list[ServerVerdict]:
    """Recognize vLLM, which owns its models by name and reports their context window."""
    models = await ask.get("/v1/models")
    if models.status == 0:
        return []
    if models.status == 401:
        return [ServerVerdict("needs a key: add it with `llm-lsp provider add vllm`")]
    entries = _entries(models, "data")
    version = await ask.get("/version")
    has_windows = all(isinstance(entry.get("max_model_len"), int) for entry in entries)
    if not _all_owned_by(entries, "vllm") or not has_windows or not as_text(version.body.get("version")):
        return [ServerVerdict("is not a vLLM server")]
    return [_openai_model("vllm", url, as_text(entry.get("id"))) for entry in entries]


def _openai_model(name: str, url: str, model: str) -> ServerVerdict:
    fim = family_of(model) or "none"
    config = ProviderConfig(name, "openai-completions", f"{url}/v1", model, fim=fim, local=True)
    return ServerVerdict(_usable(model, fim != "none"), config, fim != "none")


def _usable(model: str, fills_middle: bool) -> str:
    return f"{model} fills in the middle" if fills_middle else f"{model} completes left to right only"


def _entries(reply: ProbeReply, key: str) -> Sequence[Mapping[str, object]]:
    return [as_map(entry) for entry in as_list(reply.body.get(key))]


def _all_owned_by(entries: Sequence[Mapping[str, object]], owner: str) -> bool:
    return bool(entries) and all(entry.get("owned_by") == owner for entry in entries)


def _text(entry: Mapping[str, object], *keys: str) -> str:
    value: object = entry
    for key in keys:
        value = as_map(value).get(key)
    return as_text(value)
