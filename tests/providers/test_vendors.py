"""Every preset's requests are accepted by a server that refuses what the vendor's document refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.chat.dialogue import dialogue
from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.chat_prompt import ChatStyle
from llm_lsp.core.prompt.prompt_builder import build_prompt
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.text.window import Window
from llm_lsp.errors import ProviderError
from llm_lsp.providers.catalogue.presets import PRESETS, preset_config
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.provider_factory import make_provider, profile_of
from tests.providers.standin import DONE, Peer, Received, serve, sse
from tests.providers.vendor_rules import RULES, VendorRules

WINDOW = Window("import os\n\n\ndef f(a):\n", "    return ", "", "\n\nprint(f(1))\n", "python", "a.py")
FILES = (Snippet("b.py", "def g(b):\n    return b\n"),)
OWN = {"azure": "https://me.openai.azure.com/openai/v1", "bedrock": "https://h.example/openai/v1"}
KINDS = ("automatic", "manual", "hole", "thinking", "ask")


def config_of(name: str, model: str = "") -> ProviderConfig:
    config = preset_config(name)
    address = config.base_url or OWN[name]
    fim = "qwen" if name in ("tgi",) else config.fim
    return replace(config, base_url=address, model=model or config.model or "qwen2.5-coder-7b", fim=fim)


def prompt_of(kind: str, profile: Profile) -> Prompt:
    """Build what the engine sends for a kind of request."""
    style = ChatStyle(prefills=profile.takes_prefill)
    match kind:
        case "automatic":
            return build_prompt(WINDOW, profile, Mode.LINE, FILES, style)
        case "manual":
            return build_prompt(WINDOW, profile, Mode.BLOCK, FILES, style)
        case "hole":
            return build_prompt(replace(WINDOW, line_prefix=""), profile, Mode.HOLE, FILES, style)
        case "thinking":
            return build_prompt(WINDOW, profile, Mode.BLOCK, FILES, replace(style, thinks=True))
    return dialogue("What does it do?", (), 6144)


def event(path: str) -> bytes:
    """Write the last event of an answer, in the dialect of a path."""
    if "messages" in path:
        return sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}})
    if "GenerateContent" in path:
        return sse({"candidates": [{"content": {"parts": [{"text": "1"}]}, "finishReason": "STOP"}]})
    if path.startswith("/api/chat") or path.startswith("/api/generate"):
        return json.dumps({"response": "1", "done": True, "done_reason": "stop"}).encode() + b"\n"
    if path in ("/infill", "/completion"):
        return sse({"content": "1", "stop": True, "stop_type": "eos"})
    if path == "/generate_stream":
        return sse({"token": {"text": "1"}, "generated_text": "1", "details": {"finish_reason": "eos_token"}})
    return sse({"choices": [{"text": "1", "delta": {"content": "1"}, "finish_reason": "stop"}]}) + DONE


async def refused(name: str, config: ProviderConfig, prompt: Prompt) -> list[str]:
    """Send a prompt to a server that follows the vendor's rules, and return why it refused it."""
    found: list[str] = []

    async def script(received: Received, peer: Peer) -> None:
        reasons = list(RULES[name].refusals(received.path, received.headers, received.json))
        found.extend(reasons)
        if reasons:
            await peer.json({"error": {"message": reasons[0], "type": "invalid_request_error"}}, 400)
            return
        kind = "application/x-ndjson" if received.path.startswith("/api/") else "text/event-stream"
        await peer.stream(event(received.path.partition("?")[0]), kind=kind)
        await peer.end()

    provider = make_provider(config, Secret("sk-1"))
    async with serve(script) as standin:
        path = urlsplit(provider._endpoint.base_url).path
        there = replace(provider._endpoint, base_url=standin.url + path)
        asked = HttpProvider(provider.profile, there)
        try:
            async for _ in asked.stream(replace(prompt, affinity="0" * 32)):
                pass
        except ProviderError as exc:
            found.append(str(exc))
        finally:
            await asked.aclose()
            await provider.aclose()
    return found


def test_every_preset_has_rules() -> None:
    assert RULES.keys() == PRESETS.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PRESETS)
async def test_a_presets_request_is_accepted(name: str, kind: str) -> None:
    config = config_of(name)
    if kind == "thinking":
        config = replace(config, thinking="manual")
    prompt = prompt_of(kind, profile_of(config))
    assert await refused(name, config, prompt) == []


OTHER_MODELS = [
    ("openai", "gpt-5-mini"), ("openai", "gpt-5"), ("openai", "gpt-5-nano-2025-08-07"), ("openai", "o4-mini"),
    ("openai", "gpt-4.1-mini"), ("openai", "gpt-5.6-luna"), ("azure", "gpt-5"),
    ("anthropic", "claude-opus-5-5"), ("anthropic", "claude-sonnet-5-5"), ("anthropic", "claude-haiku-4-5"),
    ("gemini", "gemini-2.5-flash"), ("gemini", "gemini-3.1-pro"), ("gemini", "gemini-3.6-flash"),
    ("moonshot", "kimi-k2.7-code-highspeed"), ("moonshot-cn", "kimi-k3"), ("moonshot", "moonshot-v1-8k"),
    ("groq", "openai/gpt-oss-20b"), ("groq", "llama-3.3-70b-versatile"),
    ("openrouter", "anthropic/claude-haiku-4.5"), ("openrouter", "inception/mercury-coder"),
    ("openrouter-chat", "openai/gpt-6-luna"), ("dashscope-intl", "qwen3.6-flash"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["automatic", "ask"])
@pytest.mark.parametrize(("name", "model"), OTHER_MODELS)
async def test_another_model_of_a_vendor_is_sent_what_it_accepts(name: str, model: str, kind: str) -> None:
    config = config_of(name, model)
    assert await refused(name, config, prompt_of(kind, profile_of(config))) == []


FAULTS: Mapping[str, Mapping[str, object]] = {
    "an unknown field": {"extra": 1},
    "a wrong role": {"messages": [{"role": "robot", "content": "x"}, {"role": "user", "content": "x"}]},
    "an answer begun": {
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "x"}]
    },
    "too many stops": {"stop": list("abcdef")},
    "no tokens": {"max_completion_tokens": 0},
    "a temperature": {"temperature": 0.0},
    "another effort": {"reasoning_effort": "off"},
}
GOOD = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "x"}], "max_completion_tokens": 8}


def reasons(rules: VendorRules, body: Mapping[str, object]) -> list[str]:
    return list(rules.refusals("/v1/chat/completions", {"authorization": "x"}, body))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_request_is_refused(fault: str) -> None:
    assert reasons(RULES["openai"], GOOD) == []
    assert reasons(RULES["openai"], {**GOOD, **FAULTS[fault]}) != []


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        pytest.param("openai", {"model": "gpt-5", "stop": ["a"]}, "stop", id="stops of gpt-5"),
        pytest.param("openai", {"model": "o3", "temperature": 0}, "temperature", id="temperature of o3"),
        pytest.param("moonshot", {"model": "kimi-k2.7-code", "thinking": {"type": "disabled"}}, "thinking", id="Kimi's thinking"),
    ],
)  # fmt: skip
def test_what_a_model_does_not_support_is_refused(name: str, body: dict[str, object], reason: str) -> None:
    assert f"not supported with this model: {reason}" in reasons(RULES[name], {**GOOD, **body})
