"""The legacy completions API, which lives on as the format of base models; a dialogue goes to its neighbour.

OpenAI has no model left here; DeepSeek, Qianfan and SiliconFlow take a suffix, vLLM answers 400 to any, even an
empty one, so that it is sent for a FimPrompt only. https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.providers.dialects import openai_shared as openai
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Ask with a prompt as it is, with the two sides of the hole where the API renders them, or with a dialogue."""
    match prompt:
        case RawPrompt(text=text):
            fields = {"prompt": text}
        case FimPrompt(prefix=prefix, line_prefix=line_prefix, suffix=suffix):
            fields = {"prompt": prefix + line_prefix, "suffix": suffix}
        case ChatPrompt():
            return openai.chat_request(prompt, settings)
    return HttpRequest("/completions", openai.body(prompt, settings, fields))


DIALECT = Dialect("sse", request, openai.chunk, health_path="/models", models_path="/models")
