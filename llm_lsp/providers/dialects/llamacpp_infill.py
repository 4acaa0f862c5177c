"""llama.cpp's own API: `/infill` builds the model's fill-in-the-middle prompt itself, `/completion` takes a raw
prompt.

Chats go to its OpenAI-compatible API, which applies the model's chat template.

The header `X-Conversation-Id` is never sent: with it, the server continues after the client has disconnected.
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from collections.abc import Mapping

from llm_lsp.core.generation import Chunk, Finish, PromptProgress, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_map, as_text
from llm_lsp.providers.dialects.token_logprobs import token_list, wants_logprobs
from llm_lsp.providers.http.failures import raise_error_object


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request to `/infill` for a fill-in-the-middle prompt, to `/completion` for a raw one, or for a
    chat.
    """
    match prompt:
        case ChatPrompt():
            twin = openai.chat_request(prompt, settings)
            return HttpRequest(f"/v1{twin.path}", _with_progress(twin.body, settings))
        case FimPrompt():
            path, fields = "/infill", _infill(prompt)
        case RawPrompt(text=text):
            path, fields = "/completion", {"prompt": text}
    body: dict[str, object] = {"model": settings.model} if settings.model else {}
    body |= fields
    # Without a limit, the server also miscalculates how much of the prompt it has to cut.
    body |= {"n_predict": prompt.max_tokens, "stream": settings.stream, "cache_prompt": True}
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if stops := settings.stops(prompt.stop):
        body["stop"] = stops
    if wants_logprobs(prompt, settings):
        # Not `post_sampling_probs`: at temperature 0 it is 1 for every token.
        body["n_probs"] = 1
    if prompt.begins:
        body["grammar"] = beginning_with(prompt.begins)
    return HttpRequest(path, _with_progress(settings.completed(body, prompt), settings))


def beginning_with(text: str) -> str:
    """Return a grammar for answers that begin with a text, which is a single line.

    https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
    """
    literal = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'root ::= "{literal}" [^\\x00]*'


def chunk(data: Json) -> Chunk | None:
    """Parse an event or a whole answer, which looks like the last event with all the text."""
    if progress := _progress(as_map(data.get("prompt_progress"))):
        return Chunk(pieces=0, progress=progress)
    if "choices" in data:
        return openai.chunk(data)
    raise_error_object(data)
    text, tokens = as_text(data.get("content")), token_list(data.get("completion_probabilities"))
    if data.get("stop") is not True:
        return Chunk(text, tokens=tokens) if text or tokens else None
    # Servers before late 2024 have one flag per reason.
    at_limit = data.get("stop_type") == "limit" or data.get("stopped_limit") is True
    cached = as_int(as_map(data.get("timings")).get("cache_n"))
    usage = Usage(as_int(data.get("tokens_evaluated")), as_int(data.get("tokens_predicted")), cached)
    return Chunk(text, Finish.LENGTH if at_limit else Finish.STOP, usage, tokens=tokens)


def _with_progress(body: Json, settings: Settings) -> Json:
    """Request progress events, one per batch of the prompt; servers before late 2025 send none."""
    return {"return_progress": True, **body} if settings.stream else body


def _progress(told: Mapping[str, object]) -> PromptProgress | None:
    total, processed = as_int(told.get("total")), as_int(told.get("processed"))
    cached, time_ms = as_int(told.get("cache")) or 0, as_int(told.get("time_ms")) or 0
    if total is None or processed is None or not cached <= processed <= total:
        return None
    return PromptProgress(total, cached, processed, time_ms / 1000)


def _infill(prompt: FimPrompt) -> dict[str, object]:
    return {
        "input_prefix": prompt.prefix,
        "input_suffix": prompt.suffix,
        "input_extra": [{"filename": snippet.path, "text": snippet.text} for snippet in prompt.snippets],
        # Placed after the middle token, so that typing on this line keeps the cache of everything before it valid.
        "prompt": prompt.line_prefix,
    }


DIALECT = Dialect(
    "sse",
    request,
    chunk,
    health_path="/health",
    models_path="/v1/models",
    forces_start=True,
    takes_files=True,
)
