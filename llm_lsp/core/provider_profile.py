"""What the engine needs to know of a provider and its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fim = Literal["native", "chat", "none"] | str
"""How the hole is filled: "native" (the API takes prefix and suffix), "chat", "none" (left to right), or a template family."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens, in `currency`."""

    input: float
    output: float
    cached: float | None = None
    """Of input that the API had in its cache; None where it costs as much as other input."""
    written: float | None = None
    """Of input that the API writes into its cache, likewise."""
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the engine needs to know of a provider; all "auto" settings are resolved."""

    provider: str
    model: str
    fim: Fim
    context_tokens: int = 2048
    """Budget of the whole prompt in tokens."""
    max_tokens: int = 128
    local: bool = False
    """It runs on this machine, and its speed is this machine's."""
    free: bool = False
    """Calls cost nothing."""
    max_in_flight: int = 2
    cancel_stops_billing: bool = True
    price: Price | None = None
    """None where it is not known."""
    forces_start: bool = False
    """The API can hold an answer to a given beginning, as llama.cpp does by a grammar."""
    takes_prefill: bool = False
    """A dialogue may end with the assistant's message: the answer then goes on from it, and does not repeat it."""
    thinks_by_hand: bool = False
    """The model may think step by step where it is asked by hand."""
    may_be_slow: bool = False
    """Whether it may read slowly, as a model without a GPU does: its first prompt is short, and shows its speed."""
    takes_files: bool = False
    """The API has a field for pieces of other files, as llama.cpp's `/infill` has."""
