"""What a model API takes beside what its dialect says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_lsp.config.settings import KeyHeader, Prefill, ProviderConfig


@dataclass(frozen=True, slots=True)
class Quirks:
    """The quirks of one API; the defaults suit every API."""

    max_stops: int | None = 4
    """OpenAI, Azure, Groq, TGI and vLLM refuse a fifth; where no limit is documented, four are safe."""
    max_tokens_field: str = "max_tokens"
    takes_temperature: bool = True
    ask_usage: bool = False
    """Whether `stream_options.include_usage` is known to be accepted."""
    prefill: Prefill = "never"
    thinking_off: Mapping[str, object] = field(default_factory=dict)
    """Fields of a dialogue's request that turn thinking off, where it is on by itself.

    Else the first text comes after seconds, and the thoughts use up `max_tokens`.
    """
    key_header: KeyHeader = "authorization"


@dataclass(frozen=True, slots=True)
class ModelQuirks:
    """What holds for some models of an API, in place of what holds for the others."""

    pattern: str
    """Searched for in the model's name, in lower case."""
    quirks: Quirks

    def fits(self, model: str) -> bool:
        """Whether a model is one of these."""
        return re.search(self.pattern, model.lower()) is not None


def with_settings(quirks: Quirks, config: ProviderConfig) -> Quirks:
    """Let what a user says win over what is known; "auto" leaves it."""
    return Quirks(
        max_stops=quirks.max_stops if config.max_stops == "auto" else config.max_stops,
        max_tokens_field=config.max_tokens_field or quirks.max_tokens_field,
        takes_temperature=_switch(config.takes_temperature, quirks.takes_temperature),
        ask_usage=_switch(config.ask_usage, quirks.ask_usage),
        prefill=quirks.prefill if config.prefill == "auto" else config.prefill,
        thinking_off=quirks.thinking_off,
        key_header=quirks.key_header if config.key_header == "auto" else config.key_header,
    )


def _switch(said: bool | str, known: bool) -> bool:
    return said if isinstance(said, bool) else known
