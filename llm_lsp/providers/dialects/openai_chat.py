"""The chat completions API, which nearly every hosted model supports.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Build a request with a chat."""
    if not isinstance(prompt, ChatPrompt):
        raise TypeError("the chat API accepts only chats")
    return openai.chat_request(prompt, settings)


DIALECT = Dialect("sse", request, openai.chunk, health_path="/models", models_path="/models")
