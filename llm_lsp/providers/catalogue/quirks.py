"""How an API deviates from its dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_lsp.config.settings import KeyHeader, Prefill, ProviderConfig


@dataclass(frozen=True, slots=True)
class Quirks:
    """The quirks of one API; the defaults work everywhere."""

    max_stops: int | None = 4
    """OpenAI, Azure, Groq, TGI and vLLM refuse a fifth stop string; without a documented limit, four are safe."""
    max_tokens_field: str = "max_tokens"
    takes_temperature: bool = True
    ask_usage: bool = False
    """Whether the API is known to accept `stream_options.include_usage`."""
    ask_logprobs: bool = False
    """Whether the API is documented to send the log-probabilities of an answer's tokens."""
    prefill: Prefill = "never"
    thinking_off: Mapping[str, object] = field(default_factory=dict)
    """Request fields that turn off the thinking of chat models that think by default.

    Otherwise the first text takes seconds, and the thinking uses up `max_tokens`.
    """
    key_header: KeyHeader = "authorization"
    always_thinks: bool = False
    """Whether thinking cannot be turned off: the model then only answers questions, and completes nothing."""
    cache_breakpoints: bool = False
    """Whether the API takes OpenAI's explicit cache breakpoints."""
    affinity_field: str = ""
    """The field that sends the calls about one document to the same cache; "" if none is documented."""
    affinity_header: str = ""
    """The header that does so."""
    fim: str = ""
    """How the model fills the middle, if its settings say "auto"; "" leaves it to its name."""


@dataclass(frozen=True, slots=True)
class ModelQuirks:
    """The quirks of some models, instead of the API's."""

    pattern: str
    """Regular expression, searched in the lower-case model name."""
    quirks: Quirks

    def fits(self, model: str) -> bool:
        """Check whether a model is one of these."""
        return re.search(self.pattern, model.lower()) is not None


def with_settings(quirks: Quirks, config: ProviderConfig) -> Quirks:
    """Replace quirks by the user's settings, unless those are "auto"."""
    return Quirks(
        max_stops=quirks.max_stops if config.max_stops == "auto" else config.max_stops,
        max_tokens_field=config.max_tokens_field or quirks.max_tokens_field,
        takes_temperature=_switch(config.takes_temperature, quirks.takes_temperature),
        ask_usage=_switch(config.ask_usage, quirks.ask_usage),
        ask_logprobs=_switch(config.ask_logprobs, quirks.ask_logprobs),
        prefill=quirks.prefill if config.prefill == "auto" else config.prefill,
        thinking_off=quirks.thinking_off,
        key_header=quirks.key_header if config.key_header == "auto" else config.key_header,
        always_thinks=quirks.always_thinks,
        cache_breakpoints=quirks.cache_breakpoints,
        affinity_field=_name(config.affinity_field, quirks.affinity_field),
        affinity_header=_name(config.affinity_header, quirks.affinity_header),
        fim=quirks.fim,
    )


def _switch(said: bool | str, known: bool) -> bool:
    return said if isinstance(said, bool) else known


def _name(said: str, known: str) -> str:
    return "" if said == "none" else said or known
