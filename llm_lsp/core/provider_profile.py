"""What the engine needs to know about a provider and its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fim = Literal["native", "chat", "none"] | str
"""How the hole is filled: "native" (the API takes prefix and suffix), "chat", "none" (left to right), or a
template family.
"""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens, in `currency`."""

    input: float
    output: float
    cached: float | None = None
    """Price of input from the API's cache; None if it is the same as for other input."""
    written: float | None = None
    """Price of input that is written to the API's cache; None if it is the same as for other input."""
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the engine needs to know about a provider; every "auto" setting is resolved."""

    provider: str
    model: str
    fim: Fim
    context_tokens: int = 2048
    """Most tokens of prompt and answer together."""
    max_tokens: int = 128
    local: bool = False
    """Whether it runs on this machine, at this machine's speed."""
    free: bool = False
    """Whether calls cost nothing."""
    max_in_flight: int = 2
    cancel_stops_billing: bool = True
    price: Price | None = None
    """None if unknown."""
    forces_start: bool = False
    """Whether the API can force an answer to begin with a given text, as llama.cpp does with a grammar."""
    takes_prefill: bool = False
    """Whether a chat may end with an assistant message, which the answer then continues without repeating it."""
    always_thinks: bool = False
    """Whether thinking cannot be turned off: the model then only answers questions, unless its user lets it think."""
    thinks_by_hand: bool = False
    """Whether the model may think first when it serves a manual request."""
    may_be_slow: bool = False
    """Whether it may read slowly, like a model without a GPU; its first prompt is then short, and shows its
    speed.
    """
    origin: str = ""
    """Scheme, host and port of its address."""
    sends_logprobs: bool = False
    """Whether the API tells how likely each token of an answer is."""
    is_small: bool = False
    """Whether the model has less than 3 billion parameters, or runs on this machine with an unknown number."""
    takes_files: bool = False
    """Whether the API has a field for pieces of other files, like llama.cpp's `/infill`."""
