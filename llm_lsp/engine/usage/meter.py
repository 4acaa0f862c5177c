"""Counts what a call uses while its stream is read."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.core.generation import Chunk, Usage
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt
from llm_lsp.core.provider_profile import Price, Profile
from llm_lsp.core.text.token_estimate import estimate_tokens
from llm_lsp.core.usage.prices import FREE, cost_of
from llm_lsp.core.usage.records import CallRecord, Outcome, Subject
from llm_lsp.errors import BudgetError, LlmLspError
from llm_lsp.providers.base import Stream

# Tokens that a gateway may add to a prompt: more than the longest known system prompts.
ADDED_TOKENS = 32_768


class CallLedger(Protocol):
    """Receives a call's records."""

    async def reserve(self, order: MeteredCall) -> None:
        """Reserve the highest cost of a call; raises BudgetError if the budget does not allow it."""
        ...

    def settle(self, call: CallRecord) -> None:
        """Record a call's real usage."""
        ...

    def wrote(self, order: MeteredCall, generation_id: int) -> None:
        """Record which generation a call produces."""
        ...


@dataclass(frozen=True, slots=True)
class MeteredCall:
    """A call before it is made."""

    number: int
    request: int
    """The id of the request that it serves."""
    at: float
    """Seconds of UTC since 1970."""
    subject: Subject
    trigger: str
    profile: Profile
    prompt: Prompt

    @property
    def price(self) -> Price | None:
        return FREE if self.profile.free else self.profile.price

    def call(self, usage: Usage, outcome: Outcome, *, estimated: bool = False) -> CallRecord:
        """Return the record with the price of `usage`; using nothing costs nothing even if the price is unknown."""
        price = self.price or (FREE if usage == Usage(0, 0) else None)
        cost = None if price is None else cost_of(usage, price)
        currency = price.currency if price else ""
        free = self.profile.free
        return CallRecord(
            self.number, self.at, self.subject, self.trigger, usage, estimated, cost, currency, free, outcome
        )

    def worst(self) -> CallRecord:
        """Return the record with the most that the call can use."""
        usage = Usage(prompt_tokens(self.prompt), self.prompt.max_tokens)
        return self.call(usage, "reserved", estimated=True)


class MeteredStream:
    """A stream that counts its pieces, and reports its end once, however it ends."""

    def __init__(
        self, stream: Stream, order: MeteredCall, cashier: CallLedger, now: Callable[[], float]
    ) -> None:
        self._stream = stream
        self._order = order
        self._cashier = cashier
        self._now = now
        self._began_at = now()
        self._first_at: float | None = None
        self._pieces: AsyncIterator[Chunk] | None = None
        self._usage = Usage()
        self._n_pieces = 0
        self._tokens = 0.0
        self._is_told = self._is_closed = self._is_sent = self._is_finished = False

    @property
    def order(self) -> MeteredCall:
        """The call."""
        return self._order

    @property
    def usage(self) -> Usage:
        """The usage that the API has reported so far."""
        return self._usage

    def name(self, generation_id: int) -> None:
        """Set the id of the generation that this call produces."""
        self._cashier.wrote(self._order, generation_id)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next piece; the first time, reserve the budget before anything is sent."""
        try:
            if self._pieces is None:
                await self._cashier.reserve(self._order)
                self._is_sent = not self._is_closed
                # Start the clock after waiting for a slot and the budget, which is not the provider's time.
                self._began_at = self._now()
                self._pieces = aiter(self._stream)
            chunk = await anext(self._pieces)
        except StopAsyncIteration:
            self._tell("complete")
            raise
        except asyncio.CancelledError:
            self._tell("closed")
            raise
        except BudgetError:
            self._is_told = True  # the call was not made, so there is nothing to report
            raise
        except LlmLspError as exc:
            self._tell("failed", type(exc).__name__)
            raise
        self._take(chunk)
        return chunk

    def close(self) -> None:
        """Close the stream."""
        self._is_closed = True
        self._stream.close()

    def release(self) -> None:
        """Release the stream."""
        self._tell("cut")
        self._stream.release()

    def _take(self, chunk: Chunk) -> None:
        self._usage = chunk.usage or self._usage
        self._is_finished = self._is_finished or chunk.finish is not None
        if chunk.text:
            self._n_pieces += chunk.pieces
            self._tokens += estimate_tokens(chunk.text)
            if self._first_at is None:
                self._first_at = self._now()

    def _tell(self, outcome: Outcome, failure: str = "") -> None:
        if self._is_told:
            return
        self._is_told = True
        usage, estimated = self._used(outcome)
        first_s = None if self._first_at is None else round(self._first_at - self._began_at, 4)
        call = self._order.call(usage, outcome, estimated=estimated)
        whole_s = round(self._now() - self._began_at, 4)
        self._cashier.settle(replace(call, first_s=first_s, whole_s=whole_s, failure=failure))

    def _used(self, outcome: Outcome) -> tuple[Usage, bool]:
        """Return the usage, and whether it is an estimate: APIs report it only with the last piece."""
        told = self._believed
        if told.input_tokens is not None and told.output_tokens is not None and self._is_finished:
            return told, False
        if not self._is_sent or (outcome == "failed" and not self._n_pieces):
            # Calls that were not sent or were refused are not billed.
            return Usage(0, 0), False
        input_tokens = told.input_tokens or prompt_tokens(self._order.prompt)
        return replace(told, input_tokens=input_tokens, output_tokens=self._written(outcome)), True

    @property
    def _believed(self) -> Usage:
        """Return the API's count, within plausible limits, so that a wrong count cannot use up a budget."""
        n_bytes = sum(len(text.encode("utf-8", "replace")) for text in _texts(self._order.prompt))
        most_output = max(self._order.prompt.max_tokens, self._n_pieces, math.ceil(self._tokens))
        return self._usage.within(n_bytes + ADDED_TOKENS, most_output)

    def _written(self, outcome: Outcome) -> int:
        """Estimate the tokens that the model wrote: servers send one token per piece, or several."""
        if outcome in ("cut", "closed") and not self._order.profile.cancel_stops_billing:
            return self._order.prompt.max_tokens
        return max(self._n_pieces, math.ceil(self._tokens), self._believed.output_tokens or 0)


def prompt_tokens(prompt: Prompt) -> int:
    """Estimate the tokens of a prompt, without those of its template."""
    return math.ceil(sum(map(estimate_tokens, _texts(prompt))))


def _texts(prompt: Prompt) -> list[str]:
    if isinstance(prompt, ChatPrompt):
        return [text for _, text in prompt.messages]
    if isinstance(prompt, FimPrompt):
        snippets = [snippet.text for snippet in prompt.snippets]
        return [*snippets, prompt.prefix, prompt.line_prefix, prompt.begins, prompt.suffix]
    return [prompt.text]
