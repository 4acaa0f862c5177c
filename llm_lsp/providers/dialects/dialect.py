"""What distinguishes model APIs: for each, two pure functions that build a request and parse an answer."""

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
    """The parts of a request besides the prompt; every "auto" is resolved."""

    model: str = ""
    """Omitted if empty: the server then uses its own."""
    temperature: float | None = 0.0
    """None if the API accepts no sampling parameters."""
    stream: bool = True
    max_stops: int | None = 4
    """How many stop strings the API accepts, None if unlimited. Further ones are applied on our side."""
    max_tokens_field: str = "max_tokens"
    """Of a dialogue's request."""
    raw_max_tokens_field: str = "max_tokens"
    """Of a request for a completion, which OpenAI-shaped APIs did not rename."""
    ask_logprobs: bool = False
    """Whether to ask for the log-probabilities of an answer's tokens."""
    ask_usage: bool = False
    """Whether `stream_options.include_usage` is accepted; strict servers refuse unknown fields."""
    prefill: Prefill = "never"
    """How a last assistant message is marked as the beginning of the answer."""
    cache_breakpoints: bool = False
    """Whether a chat marks where its stable parts end, as OpenAI's API has it."""
    affinity_field: str = ""
    """The field for a prompt's `affinity`; "" if the API has none."""
    thinking_off: Mapping[str, object] = field(default_factory=dict)
    """Fields of a chat request that turn off thinking; mappings are merged."""
    extra_body: Mapping[str, object] = field(default_factory=dict)
    """Overrides our own fields; mappings are merged."""

    def heated(self, temperature: float | None) -> Settings:
        """Return settings with the prompt's own temperature, if the API accepts one."""
        if temperature is None or self.temperature is None:
            return self
        return replace(self, temperature=temperature)

    def completed(self, body: Json, prompt: Prompt) -> Json:
        """Add the fields that the API and the user need to a request body."""
        if isinstance(prompt, ChatPrompt) and not prompt.thinks:
            body = merged(body, self.thinking_off)
        if self.affinity_field and prompt.affinity:
            body = merged(body, {self.affinity_field: prompt.affinity})
        return merged(body, self.extra_body)

    def stops(self, stops: tuple[str, ...]) -> list[str]:
        """Shorten a list of stop strings to what the API accepts; the most likely ones come first."""
        return list(stops if self.max_stops is None else stops[: self.max_stops])


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST request: `path` is appended to the base address, `body` is sent as JSON."""

    path: str
    body: Json


@dataclass(frozen=True, slots=True)
class Dialect:
    """A wire format, defined by a module in `dialects/`."""

    framing: Framing
    request: Callable[[Prompt, Settings], HttpRequest]
    """Build a request. Raises TypeError for a kind of prompt that the API does not support."""
    chunk: Callable[[Json], Chunk | None]
    """Parse an event or a whole answer; None if it is irrelevant.

    Raises ProviderError for an error object, with a message that names only the cause.
    """
    health_path: str
    """Path for a cheap GET that opens a connection; the answer is ignored."""
    models_path: str
    """Path of the list of models."""
    forces_start: bool = False
    """Whether it forces the answer to begin with a prompt's `begins`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Additional headers of every request."""
    sends_logprobs: bool = False
    """Whether an answer has log-probabilities without being asked for them."""
    takes_files: bool = False
    """Whether it sends a FimPrompt's `snippets`."""


def load_dialect(api: Api) -> Dialect:
    """Import a dialect by its name in the settings: `mistral-fim` is `dialects/mistral_fim.py`."""
    dialect = import_module(f"llm_lsp.providers.dialects.{api.replace('-', '_')}").DIALECT
    assert isinstance(dialect, Dialect)
    return dialect


def merged(body: Json, extra: Mapping[str, object]) -> Json:
    """Merge `extra` into `body`: mappings recursively, other values replaced."""
    result = dict(body)
    for key, value in extra.items():
        ours = result.get(key)
        both = isinstance(ours, Mapping) and isinstance(value, Mapping)
        result[key] = merged(ours, value) if both else value  # type: ignore[arg-type] # `both` has checked it
    return result
