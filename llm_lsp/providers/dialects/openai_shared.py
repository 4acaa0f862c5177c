"""The common parts of OpenAI-compatible APIs: choices, finish reasons, usage."""

from __future__ import annotations

from collections.abc import Mapping

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.dialects.dialect import HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.dialects.token_logprobs import completion_tokens, wants_logprobs
from llm_lsp.providers.http.failures import raise_error_object

# All other finish reasons ("eos", "tool_calls" …) mean the same as "stop".
_FINISHES = {
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "content_filter": Finish.BLOCKED,
    "safety": Finish.BLOCKED,
    "refusal": Finish.BLOCKED,
    "sensitive": Finish.BLOCKED,  # Zhipu
    "load": Finish.LOADED,  # Ollama, where no text was asked for or the model was just loaded
    "unload": Finish.LOADED,
    "error": Finish.TRUNCATED,
    "insufficient_system_resource": Finish.TRUNCATED,
}


def body(prompt: Prompt, settings: Settings, fields: Json) -> Json:
    """Return a request body: the fields with the prompt, plus those that all OpenAI-compatible requests have."""
    result: dict[str, object] = {"model": settings.model} if settings.model else {}
    result |= fields
    is_dialogue = isinstance(prompt, ChatPrompt)
    result[settings.max_tokens_field if is_dialogue else settings.raw_max_tokens_field] = prompt.max_tokens
    if settings.temperature is not None:
        result["temperature"] = settings.temperature
    if stops := settings.stops(prompt.stop):
        result["stop"] = stops
    if wants_logprobs(prompt, settings):
        # The completions API takes the number of tokens to compare, the chat API a switch.
        result["logprobs"] = True if is_dialogue else 1
    result["stream"] = settings.stream
    if settings.stream and settings.ask_usage:
        result["stream_options"] = {"include_usage": True}
    completed = settings.completed(result, prompt)
    if settings.stream:
        return completed
    # Refused in requests without streaming; a preset's additional fields may contain it.
    return {name: value for name, value in completed.items() if name != "stream_options"}


def chat_request(prompt: ChatPrompt, settings: Settings) -> HttpRequest:
    """Build a request with a chat, whose last message may be the beginning of the answer."""
    messages: list[dict[str, object]] = [{"role": role, "content": text} for role, text in prompt.messages]
    if settings.prefill in ("prefix", "partial") and messages[-1]["role"] == "assistant":
        messages[-1][settings.prefill] = True
    fields: dict[str, object] = {"messages": messages}
    if settings.cache_breakpoints:
        _mark(messages, prompt.stable_chars)
        fields["prompt_cache_options"] = {"mode": "explicit"}
    return HttpRequest("/chat/completions", body(prompt, settings, fields))


# https://developers.openai.com/api/docs/guides/prompt-caching: from GPT-5.6 on each write costs 1.25 times the input.
# Without marks the API writes the whole prompt at every call, of which the next call reads nothing.
_BREAKPOINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def _mark(messages: list[dict[str, object]], stable_chars: int) -> None:
    """Mark the end of the last examples, and of the pieces of other files; an assistant's message takes no mark."""
    users = [message for message in messages if message["role"] != "assistant"]
    if len(users) > 1:
        users[-2]["content"] = [_part(users[-2]["content"], _BREAKPOINT)]
    text = as_text(users[-1]["content"])
    if 0 < stable_chars < len(text):
        users[-1]["content"] = [_part(text[:stable_chars], _BREAKPOINT), _part(text[stable_chars:], {})]


def _part(text: object, mark: Json) -> dict[str, object]:
    return {"type": "text", "text": text, **mark}


def chunk(data: Json) -> Chunk | None:
    """Parse an event or a whole answer; its text is in `text`, `delta.content` or `message.content`.

    Reasoning is left out, but its presence is reported. Refusals have a field of their own. A chunk without choices
    may still contain the usage.
    """
    raise_error_object(data)
    # Groq reports the usage of a stream in a separate field.
    usage = _usage(as_map(data.get("usage")) or as_map(as_map(data.get("x_groq")).get("usage")))
    choices = as_list(data.get("choices"))
    choice = as_map(choices[0]) if choices else {}
    text = as_text(choice.get("text")) or _content(choice.get("delta")) or _content(choice.get("message"))
    reason = as_text(choice.get("finish_reason"))
    finish = _FINISHES.get(reason.lower(), Finish.STOP) if reason else None
    message = as_map(choice.get("delta")) or as_map(choice.get("message"))
    if message.get("refusal"):
        finish = Finish.BLOCKED
    thinks = any(message.get(name) for name in _REASONING) or _has_thoughts(message.get("content"))
    if not text and finish is None and usage is None and not thinks:
        return None
    return Chunk(text, finish, usage, thinks=thinks, tokens=completion_tokens(choice.get("logprobs")))


# DeepSeek's, vLLM's and OpenRouter's names for it.
_REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking")


def _has_thoughts(content: object) -> bool:
    return any(as_map(piece).get("type") == "thinking" for piece in as_list(content))


def _content(message: object) -> str:
    content = as_map(message).get("content")
    # Mistral may send a list of typed pieces; those without text are thoughts.
    pieces = [as_text(as_map(piece).get("text")) for piece in as_list(content)]
    return as_text(content) or "".join(pieces)


def _usage(usage: Mapping[str, object]) -> Usage | None:
    if not usage:
        return None
    details = as_map(usage.get("prompt_tokens_details"))
    cached = as_int(details.get("cached_tokens"))
    # DeepSeek's name for it.
    cached = as_int(usage.get("prompt_cache_hit_tokens")) if cached is None else cached
    return Usage(
        as_int(usage.get("prompt_tokens")),
        as_int(usage.get("completion_tokens")),
        cached,
        as_int(details.get("cache_write_tokens")),
        as_int(as_map(usage.get("completion_tokens_details")).get("reasoning_tokens")),
    )
