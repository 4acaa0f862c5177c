"""Mistral's fill-in-the-middle API: requests like completions, answers like chat; chats go to its chat API.

https://docs.mistral.ai/api/#tag/fim
"""

from __future__ import annotations

from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request for a fill-in-the-middle prompt or a chat."""
    match prompt:
        case FimPrompt(prefix=prefix, line_prefix=line_prefix, suffix=suffix):
            fields = {"prompt": prefix + line_prefix, "suffix": suffix}
        case ChatPrompt():
            return openai.chat_request(prompt, settings)
        case RawPrompt():
            raise TypeError("Mistral's FIM API does not accept raw prompts")
    return HttpRequest("/fim/completions", openai.body(prompt, settings, fields))


DIALECT = Dialect("sse", request, openai.chunk, health_path="/models", models_path="/models")
