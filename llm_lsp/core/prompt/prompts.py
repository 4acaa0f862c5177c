"""The three kinds of prompts that can be sent to a provider."""

from __future__ import annotations

from dataclasses import dataclass, field

from llm_lsp.core.context.snippet import Snippet


@dataclass(frozen=True, slots=True)
class RawPrompt:
    """Text that is sent unchanged: a rendered fill-in-the-middle template, or only the prefix."""

    text: str
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    begins: str = ""
    """The beginning of the answer, which the prompt leaves out: the last word before the cursor.

    An API that `forces_start` makes the model begin with it; others ignore it.
    """
    temperature: float | None = None
    """Replaces the provider's temperature, if the API accepts one; None keeps it."""
    affinity: str = field(default="", compare=False)
    """An opaque name of the document, for an API that sends what belongs together to the same cache."""


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """Both sides of the hole, for an API that renders the template itself.

    The text before the cursor is `prefix + line_prefix + begins`. `line_prefix` is the current line's; it is
    separate, so that an API with a field for text after the middle token can keep the rest in its cache.
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
    affinity: str = field(default="", compare=False)
    """An opaque name of the document, for an API that sends what belongs together to the same cache."""


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A chat; `messages` are (role, text) pairs with the roles system, user and assistant.

    The last role is assistant only for a provider that `takes_prefill`.
    """

    messages: tuple[tuple[str, str], ...]
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    thinks: bool = False
    """Whether the model may think first, if it does so by default; `max_tokens` then includes the thoughts."""
    fills: bool = False
    """Whether the answer is code for a place in a document, which may be shown in part."""
    temperature: float | None = None
    """As in RawPrompt."""
    stable_chars: int = 0
    """Characters at the start of the last user message that stay the same while a line is typed."""
    affinity: str = field(default="", compare=False)
    """An opaque name of the document, for an API that sends what belongs together to the same cache."""


Prompt = RawPrompt | FimPrompt | ChatPrompt
