"""Anthropic's messages API, which llama.cpp, LM Studio and DeepSeek also support.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.http.failures import raise_error_object

# Reasons that can end an answer anywhere, even within a line. After any other reason the answer is complete.
_CUT_SHORT = ("max_tokens", "model_context_window_exceeded")
_THOUGHTS = ("thinking", "redacted_thinking", "thinking_delta", "signature_delta")
# While a line is typed, only the last message of a chat changes, so the API caches the rest for the next call. Prompts
# below the model's minimum length are not cached, at no extra cost.
_CACHED = {"cache_control": {"type": "ephemeral"}}


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request with a chat, its system message in a separate field."""
    if not isinstance(prompt, ChatPrompt):
        raise TypeError("the messages API accepts only chats")
    body: dict[str, object] = {
        "model": settings.model,
        **_dialogue(prompt),
        # Required, and has this name for all models.
        "max_tokens": prompt.max_tokens,
        "stream": settings.stream,
    }
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    # A stop string that consists of white space is refused.
    if stops := settings.stops(tuple(stop for stop in prompt.stop if stop.strip())):
        body["stop_sequences"] = stops
    return HttpRequest("/v1/messages", settings.completed(body, prompt))


def chunk(data: Json) -> Chunk | None:
    """Parse an event or a whole answer; only text blocks contribute text."""
    raise_error_object(data)
    match data.get("type"):
        case "message_start":
            # Its output token count is preliminary.
            return Chunk(usage=_usage(as_map(as_map(data.get("message")).get("usage")), is_final=False))
        case "content_block_start":
            block = as_map(data.get("content_block"))
        case "content_block_delta":
            block = as_map(data.get("delta"))
        case "message_delta":
            usage = _usage(as_map(data.get("usage")), is_final=True)
            return Chunk("", _finish(as_map(data.get("delta")).get("stop_reason")), usage)
        case "message":
            blocks = [as_map(block) for block in as_list(data.get("content"))]
            return Chunk(
                "".join(map(_text, blocks)),
                _finish(data.get("stop_reason")),
                _usage(as_map(data.get("usage")), is_final=True),
                thinks=any(block.get("type") in _THOUGHTS for block in blocks),
            )
        case _:
            return None
    text, thinks = _text(block), block.get("type") in _THOUGHTS
    return Chunk(text, thinks=thinks) if text or thinks else None


def _dialogue(prompt: ChatPrompt) -> dict[str, object]:
    turns: list[tuple[str, list[dict[str, object]]]] = [
        (role, [{"type": "text", "text": text}]) for role, text in prompt.messages
    ]
    if len(turns) > 1:
        turns[-2][1][-1].update(_CACHED)
    role, text = prompt.messages[-1]
    if role == "user" and 0 < prompt.stable_chars < len(text):
        stable, rest = text[: prompt.stable_chars], text[prompt.stable_chars :]
        turns[-1] = role, [{"type": "text", "text": stable, **_CACHED}, {"type": "text", "text": rest}]
    fields: dict[str, object] = {
        "messages": [{"role": role, "content": blocks} for role, blocks in turns if role != "system"]
    }
    if system := [block for role, blocks in turns if role == "system" for block in blocks]:
        fields["system"] = system
    return fields


def _text(block: Json) -> str:
    return as_text(block.get("text")) if block.get("type") in ("text", "text_delta") else ""


def _finish(reason: object) -> Finish | None:
    if not reason:
        return None
    if reason == "refusal":
        return Finish.BLOCKED
    return Finish.LENGTH if reason in _CUT_SHORT else Finish.STOP


def _usage(usage: Json, *, is_final: bool) -> Usage:
    """Parse the token counts; tokens read from or written to a cache are not part of `input_tokens` here."""
    read, written = (
        as_int(usage.get("cache_read_input_tokens")),
        as_int(usage.get("cache_creation_input_tokens")),
    )
    fresh = as_int(usage.get("input_tokens"))
    prompt = None if fresh is None else fresh + (read or 0) + (written or 0)
    return Usage(prompt, as_int(usage.get("output_tokens")) if is_final else None, read, written)


DIALECT = Dialect(
    "sse",
    request,
    chunk,
    health_path="/v1/models",
    models_path="/v1/models?limit=1000",
    headers={"anthropic-version": "2023-06-01"},
)
