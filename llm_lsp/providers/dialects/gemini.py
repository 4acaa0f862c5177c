"""Google's Gemini API.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from urllib.parse import quote

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.dialects.token_logprobs import token_list, wants_logprobs
from llm_lsp.providers.http.failures import raise_error_object

_ROLES = {"user": "user", "assistant": "model"}


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request with a chat; the model is part of the address."""
    if not isinstance(prompt, ChatPrompt):
        raise TypeError("Gemini accepts only chats")
    config: dict[str, object] = {"maxOutputTokens": prompt.max_tokens}
    if settings.temperature is not None:
        config["temperature"] = settings.temperature
    if stops := settings.stops(prompt.stop):
        config["stopSequences"] = stops
    if wants_logprobs(prompt, settings):
        config["responseLogprobs"] = True
    body: dict[str, object] = {
        "contents": [
            {"role": _ROLES[role], "parts": [{"text": text}]}
            for role, text in prompt.messages
            if role in _ROLES
        ],
        "generationConfig": config,
    }
    if system := [{"text": text} for role, text in prompt.messages if role == "system"]:
        body["systemInstruction"] = {"parts": system}
    model = quote(settings.model.removeprefix("models/"), safe="")
    # Without `alt=sse` a stream is one JSON array, which can be parsed only at its end.
    method = "streamGenerateContent?alt=sse" if settings.stream else "generateContent"
    return HttpRequest(f"/models/{model}:{method}", settings.completed(body, prompt))


def chunk(data: Json) -> Chunk | None:
    """Parse an event or a whole answer, which have the same form; thoughts are left out."""
    raise_error_object(data)
    usage = _usage(as_map(data.get("usageMetadata")))
    candidates = as_list(data.get("candidates"))
    candidate = as_map(candidates[0]) if candidates else {}
    parts = [as_map(part) for part in as_list(as_map(candidate.get("content")).get("parts"))]
    text = "".join(as_text(part.get("text")) for part in parts if part.get("thought") is not True)
    finish = _finish(as_text(candidate.get("finishReason")))
    if as_map(data.get("promptFeedback")).get("blockReason"):
        # The prompt was blocked: there are no candidates, and none will follow.
        finish = Finish.BLOCKED
    thinks = any(part.get("thought") is True for part in parts)
    if not text and finish is None and usage is None and not thinks:
        return None
    chosen = as_map(candidate.get("logprobsResult")).get("chosenCandidates")
    return Chunk(text, finish, usage, thinks=thinks, tokens=token_list(chosen))


def _finish(reason: str) -> Finish | None:
    if not reason or reason == "FINISH_REASON_UNSPECIFIED":
        return None
    if reason in ("MAX_TOKENS", "LANGUAGE", "OTHER"):
        return Finish.LENGTH
    # RECITATION, SAFETY, BLOCKLIST, PROHIBITED_CONTENT, SPII and their like.
    return Finish.STOP if reason == "STOP" else Finish.BLOCKED


def _usage(usage: Json) -> Usage | None:
    if not usage:
        return None
    answer, thoughts = as_int(usage.get("candidatesTokenCount")), as_int(usage.get("thoughtsTokenCount"))
    written = None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0)
    cached = as_int(usage.get("cachedContentTokenCount"))
    return Usage(as_int(usage.get("promptTokenCount")), written, cached, reasoning_tokens=thoughts)


DIALECT = Dialect(
    "sse", request, chunk, health_path="/models?pageSize=1", models_path="/models?pageSize=1000"
)
