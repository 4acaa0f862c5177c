"""The chat completions API, which nearly every hosted model speaks.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Ask with a dialogue."""
    if not isinstance(prompt, ChatPrompt):
        raise TypeError("the chat API takes a dialogue only")
    return openai.chat_request(prompt, settings)


DIALECT = Dialect("sse", request, openai.chunk, health_path="/models", models_path="/models")
