"""Text Generation Inference's own API for raw prompts; chats go to its OpenAI-compatible API.

https://huggingface.co/docs/text-generation-inference/reference/api_reference
"""

from __future__ import annotations

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.dialects.token_logprobs import token_list
from llm_lsp.providers.http.failures import raise_error_object


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request for a raw prompt or a chat; the server has a single model, so none is named."""
    match prompt:
        case RawPrompt(text=text):
            fields = text
        case ChatPrompt():
            twin = openai.chat_request(prompt, settings)
            return HttpRequest(f"/v1{twin.path}", twin.body)
        case FimPrompt():
            raise TypeError("TGI does not support fill-in-the-middle prompts")
    parameters: dict[str, object] = {
        "max_new_tokens": prompt.max_tokens,
        "return_full_text": False,
        "details": True,
    }
    # A temperature of 0 is refused; greedy decoding is requested differently.
    if settings.temperature:
        parameters |= {"do_sample": True, "temperature": settings.temperature}
    else:
        parameters["do_sample"] = False
    if stops := settings.stops(prompt.stop):
        parameters["stop"] = stops
    path = "/generate_stream" if settings.stream else "/generate"
    return HttpRequest(path, settings.completed({"inputs": fields, "parameters": parameters}, prompt))


def chunk(data: Json) -> Chunk | None:
    """Parse an event with a token, of which the last repeats the whole text; or a whole answer, without a token.

    Each token has its log-probability without being asked for it.
    """
    if "choices" in data:
        return openai.chunk(data)
    raise_error_object(data)
    token = as_map(data.get("token"))
    text = "" if token.get("special") is True else as_text(token.get("text"))
    whole = data.get("generated_text")
    tokens = token_list([token]) if text else ()
    if whole is None:
        return Chunk(text, tokens=tokens) if text else None
    details = as_map(data.get("details"))
    if not token:
        spoken = [one for one in as_list(details.get("tokens")) if as_map(one).get("special") is not True]
        tokens = token_list(spoken)
    finish = Finish.LENGTH if details.get("finish_reason") == "length" else Finish.STOP
    usage = Usage(as_int(details.get("input_length")), as_int(details.get("generated_tokens")))
    return Chunk(text if token else as_text(whole), finish, usage, tokens=tokens)


DIALECT = Dialect("sse", request, chunk, health_path="/info", models_path="/v1/models", sends_logprobs=True)
