"""Ollama's own API.

`num_ctx` is never sent: if it differs from the loaded model's, the server reloads the model.
https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_map, as_text
from llm_lsp.providers.dialects.token_logprobs import token_list, wants_logprobs
from llm_lsp.providers.http.failures import raise_error_object


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request for a fill-in-the-middle prompt, a raw prompt that bypasses the model's template, or a
    chat.
    """
    path = "/api/generate"
    match prompt:
        case FimPrompt(prefix=prefix, line_prefix=line_prefix, suffix=suffix):
            fields: dict[str, object] = {"prompt": prefix + line_prefix, "suffix": suffix}
        case RawPrompt(text=text):
            fields = {"prompt": text, "raw": True}
        case ChatPrompt(messages=messages):
            path = "/api/chat"
            fields = {"messages": [{"role": role, "content": text} for role, text in messages]}
    options: dict[str, object] = {"num_predict": prompt.max_tokens}
    if settings.temperature is not None:
        options["temperature"] = settings.temperature
    if stops := settings.stops(prompt.stop):
        options["stop"] = stops
    body: dict[str, object] = {
        "model": settings.model,
        **fields,
        "stream": settings.stream,
        "options": options,
    }
    if not (isinstance(prompt, ChatPrompt) and prompt.thinks):
        # Models that can think do so by default; all models accept `think: false`.
        body["think"] = False
    if wants_logprobs(prompt, settings):
        # From 0.12.11 on; earlier versions ignore it.
        body["logprobs"] = True
    return HttpRequest(path, settings.completed(body, prompt))


# With "load" and "unload" the model was asked nothing.
_FINISHES = {"length": Finish.LENGTH, "load": Finish.LOADED, "unload": Finish.LOADED}


def chunk(data: Json) -> Chunk | None:
    """Parse a line or a whole answer, which looks like the last line with all the text."""
    raise_error_object(data)
    text = as_text(data.get("response")) or as_text(as_map(data.get("message")).get("content"))
    thinks = bool(data.get("thinking") or as_map(data.get("message")).get("thinking"))
    tokens = token_list(data.get("logprobs"))
    if data.get("done") is not True:
        return Chunk(text, thinks=thinks, tokens=tokens) if text or thinks or tokens else None
    finish = _FINISHES.get(as_text(data.get("done_reason")), Finish.STOP)
    # The count includes cached prompt tokens, and the API does not report how many those are.
    usage = Usage(as_int(data.get("prompt_eval_count")), as_int(data.get("eval_count")))
    return Chunk(text, finish, usage, thinks=thinks, tokens=tokens)


DIALECT = Dialect("ndjson", request, chunk, health_path="/api/version", models_path="/api/tags")
