"""The three kinds of prompt that a provider can be sent."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.context.snippet import Snippet


@dataclass(frozen=True, slots=True)
class RawPrompt:
    """Text that is sent as it is: a rendered fill-in-the-middle template, or the prefix alone."""

    text: str
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    begins: str = ""
    """What the answer is to begin with, and the prompt leaves out: the last word before the cursor.

    An API that `forces_start` holds the model to it, any other passes it over.
    """
    temperature: float | None = None
    """In place of the provider's own, where the API takes one; None leaves that."""


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """The two sides of the hole, for an API that renders them itself.

    The text before the cursor is `prefix + line_prefix + begins`; `line_prefix` is the current line's, apart so that
    an API with a field for text after the middle token can keep the rest in its cache.
    """

    prefix: str
    line_prefix: str
    suffix: str
    snippets: tuple[Snippet, ...] = ()
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    begins: str = ""
    """As in RawPrompt."""
    temperature: float | None = None
    """As in RawPrompt."""


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A dialogue; `messages` are (role, text) pairs with roles system, user and assistant.

    The last one is the assistant's only for a provider that `takes_prefill`.
    """

    messages: tuple[tuple[str, str], ...]
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    thinks: bool = False
    """The model may think first, where it does so by itself; `max_tokens` bounds thoughts and answer together."""
    temperature: float | None = None
    """As in RawPrompt."""


Prompt = RawPrompt | FimPrompt | ChatPrompt
