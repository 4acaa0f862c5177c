"""The legacy completions API, still in use for base models; chats go to the chat completions API.

OpenAI has no models left for it. DeepSeek, Qianfan and SiliconFlow accept a suffix. vLLM refuses any, even an empty
one, so it is sent for a FimPrompt only. https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request for a raw prompt, a fill-in-the-middle prompt if the API supports them, or a chat."""
    match prompt:
        case RawPrompt(text=text):
            fields = {"prompt": text}
        case FimPrompt(prefix=prefix, line_prefix=line_prefix, suffix=suffix):
            fields = {"prompt": prefix + line_prefix, "suffix": suffix}
        case ChatPrompt():
            return openai.chat_request(prompt, settings)
    return HttpRequest("/completions", openai.body(prompt, settings, fields))


DIALECT = Dialect("sse", request, openai.chunk, health_path="/models", models_path="/models")
