"""What makes a model API different from another: two pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module

from llm_lsp.config.settings import Api, Prefill
from llm_lsp.core.generation import Chunk
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.providers.http.event_splitters import Framing


@dataclass(frozen=True, slots=True)
class Settings:
    """What a request says beside its prompt; every "auto" is resolved."""

    model: str = ""
    """Left out of the request where empty: the server takes the one it has."""
    temperature: float | None = 0.0
    """None where the API takes no sampling parameters."""
    stream: bool = True
    max_stops: int | None = 4
    """How many stop strings the API takes; None is without limit. The rest is cut off on our side."""
    max_tokens_field: str = "max_tokens"
    ask_usage: bool = False
    """Whether `stream_options.include_usage` is accepted; strict servers refuse unknown fields."""
    prefill: Prefill = "never"
    """How a last message of the assistant's is marked as the beginning of the answer."""
    thinking_off: Mapping[str, object] = field(default_factory=dict)
    """Fields of a dialogue's request that keep the model from thinking; mappings are merged."""
    extra_body: Mapping[str, object] = field(default_factory=dict)
    """Wins over ours; mappings are merged."""

    def heated(self, temperature: float | None) -> Settings:
        """Put a prompt's own temperature in place of ours, where the API takes one."""
        if temperature is None or self.temperature is None:
            return self
        return replace(self, temperature=temperature)

    def completed(self, body: Json, prompt: Prompt) -> Json:
        """Add to a request's body what the API and the user want in it."""
        if isinstance(prompt, ChatPrompt) and not prompt.thinks:
            body = merged(body, self.thinking_off)
        return merged(body, self.extra_body)

    def stops(self, stops: tuple[str, ...]) -> list[str]:
        """Clip a stop list to what the API takes; the most likely stand first."""
        return list(stops if self.max_stops is None else stops[: self.max_stops])


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST: `path` is added to the base address, `body` becomes JSON."""

    path: str
    body: Json


@dataclass(frozen=True, slots=True)
class Dialect:
    """A wire format, for one file in `dialects/`."""

    framing: Framing
    request: Callable[[Prompt, Settings], HttpRequest]
    """Write a prompt as a request. Raises TypeError for a kind of prompt that the API has no place for."""
    chunk: Callable[[Json], Chunk | None]
    """Read one event, or a whole unstreamed answer; None where it says nothing to us.

    Raises ProviderError for an error object, with a message that names the cause alone.
    """
    health_path: str
    """A cheap address to GET that opens a connection; what it answers does not matter."""
    models_path: str
    """Where the models are listed."""
    forces_start: bool = False
    """Whether it holds the answer to a prompt's `begins`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What every request carries beside the usual ones."""
    takes_files: bool = False
    """Whether it sends a FimPrompt's `snippets`."""


def load_dialect(api: Api) -> Dialect:
    """Import a dialect by its name in the settings: `mistral-fim` is `dialects/mistral_fim.py`."""
    dialect = import_module(f"llm_lsp.providers.dialects.{api.replace('-', '_')}").DIALECT
    assert isinstance(dialect, Dialect)
    return dialect


def merged(body: Json, extra: Mapping[str, object]) -> Json:
    """Lay `extra` over `body`; mappings are merged in depth, all else is replaced."""
    result = dict(body)
    for key, value in extra.items():
        ours = result.get(key)
        both = isinstance(ours, Mapping) and isinstance(value, Mapping)
        result[key] = merged(ours, value) if both else value  # type: ignore[arg-type] # `both` says so
    return result
