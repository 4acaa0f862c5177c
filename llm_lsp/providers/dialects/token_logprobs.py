"""Log-probabilities of tokens, as the APIs send them.

What is sent is only parsed here; `http/logprob_check.py` decides whether it can be believed.
"""

from __future__ import annotations

import math

from llm_lsp.core.generation import Token
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.dialects.dialect import Settings
from llm_lsp.providers.dialects.json_shapes import as_list, as_map, as_text

# The value of a token without a number.
UNKNOWN = math.nan


def wants_logprobs(prompt: Prompt, settings: Settings) -> bool:
    """Check whether a request asks for log-probabilities; a question about code needs none."""
    return settings.ask_logprobs and (not isinstance(prompt, ChatPrompt) or prompt.fills)


def token_list(value: object) -> tuple[Token, ...]:
    """Parse a list of objects with a token and its value.

    They are named `token` and `logprob` by OpenAI, Ollama and llama.cpp, `text` by TGI, `logProbability` by Gemini.
    """
    return tuple(_token(as_map(one)) for one in as_list(value))


def completion_tokens(value: object) -> tuple[Token, ...]:
    """Parse a choice's `logprobs`: the chat API has a list of objects, the completions API two lists."""
    told = as_map(value)
    if not told:
        return ()
    if "content" in told:
        return token_list(told.get("content"))
    values = as_list(told.get("token_logprobs"))
    return tuple(
        Token(as_text(text), _number(values[at] if at < len(values) else None))
        for at, text in enumerate(as_list(told.get("tokens")))
    )


def _token(entry: object) -> Token:
    told = as_map(entry)
    text = as_text(told.get("token")) or as_text(told.get("text"))
    value = told.get("logprob", told.get("logProbability"))
    return Token(text, _number(value), _bytes(told.get("bytes")))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else UNKNOWN


def _bytes(value: object) -> bytes | None:
    numbers = [one for one in as_list(value) if isinstance(one, int) and 0 <= one < 256]
    return bytes(numbers) if numbers and len(numbers) == len(as_list(value)) else None
