"""Ollama's own API.

`num_ctx` is never sent: another value than the loaded one makes the server load the model again.
https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_map, as_text
from llm_lsp.providers.http.failures import raise_error_object


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Ask with the two sides of the hole, a prompt as it is, past the model's template, or a dialogue."""
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
    body = {"model": settings.model, **fields, "stream": settings.stream, "options": options}
    if not (isinstance(prompt, ChatPrompt) and prompt.thinks):
        # Thinking is on by default where a model can; `think: false` is accepted by all.
        body["think"] = False
    return HttpRequest(path, settings.completed(body, prompt))


# With "load" and "unload" the model was asked nothing.
_FINISHES = {"length": Finish.LENGTH, "load": Finish.LOADED, "unload": Finish.LOADED}


def chunk(data: Json) -> Chunk | None:
    """Read a line, or the whole answer, which looks like the last line with all the text."""
    raise_error_object(data)
    text = as_text(data.get("response")) or as_text(as_map(data.get("message")).get("content"))
    thinks = bool(data.get("thinking") or as_map(data.get("message")).get("thinking"))
    if data.get("done") is not True:
        return Chunk(text, thinks=thinks) if text or thinks else None
    finish = _FINISHES.get(as_text(data.get("done_reason")), Finish.STOP)
    # The server counts cached prompt tokens in, and does not say how many they were.
    usage = Usage(as_int(data.get("prompt_eval_count")), as_int(data.get("eval_count")))
    return Chunk(text, finish, usage, thinks=thinks)


DIALECT = Dialect("ndjson", request, chunk, health_path="/api/version", models_path="/api/tags")
