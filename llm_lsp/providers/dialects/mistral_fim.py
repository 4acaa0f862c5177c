"""Mistral's fill-in-the-middle API: asked like completions, answered like chat.

https://docs.mistral.ai/api/#tag/fim
"""

from __future__ import annotations

from llm_lsp.core.types import FimPrompt, Prompt
from llm_lsp.providers import openai
from llm_lsp.providers.dialect import Dialect, HttpRequest, Settings


def request(prompt: Prompt, settings: Settings) -> HttpRequest:
    """Ask with the two sides of the hole."""
    if not isinstance(prompt, FimPrompt):
        raise TypeError("Mistral's FIM API takes prefix and suffix only")
    fields = {"prompt": prompt.prefix + prompt.line_prefix, "suffix": prompt.suffix}
    return HttpRequest("/fim/completions", openai.body(prompt, settings, fields))


DIALECT = Dialect("sse", request, openai.chunk, health_path="/models", models_path="/models")
