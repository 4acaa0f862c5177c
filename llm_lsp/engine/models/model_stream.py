"""One call to a model: waits for a slot, is metered, and reports its outcome to the provider's slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from llm_lsp.core.generation import Chunk, PromptProgress
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.request import ModelRequest
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.models.call_traffic import CallTraffic
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.usage.meter import MeteredStream, prompt_tokens
from llm_lsp.errors import (
    BadRequestError,
    BrokenStreamError,
    BudgetError,
    HeldBackError,
    LlmLspError,
    NotFoundError,
    SlowError,
)


class ModelStream:
    """A provider's stream with everything that belongs to a call; used like `providers.base.Stream`.

    Nothing is sent before it is iterated. The outcome is recorded once: success if text came or the model ended by
    itself, failure with its error, or neither if the call was closed before that.
    """

    def __init__(
        self,
        metered: MeteredStream,
        request: ModelRequest,
        choice: ProviderChoice,
        instead_of: str,
        refusal: Callable[[], Skip | None],
        traffic: CallTraffic,
    ) -> None:
        """`refusal` returns why the call may no longer be made after it has waited for a slot."""
        self._traffic = traffic
        self._metered = metered
        self._refusal = refusal
        self._request = request
        self._choice = choice
        self._instead_of = instead_of
        self._begun = self._is_counted = self._is_over = self._is_closed = False
        self._has_text = self._is_finished = self._is_timed = self._is_under_way = False
        self.gave_way = False
        """Whether it was closed because a completion needs the machine or the slot."""
        self._ticket: asyncio.Future[None] | None = None
        self._sent_at = 0.0
        self._progress: PromptProgress | None = None

    @property
    def prompt(self) -> Prompt:
        """What is sent, redacted."""
        return self._metered.order.prompt

    def name(self, generation_id: int) -> None:
        """Set the id of the generation that this call produces."""
        self._metered.name(generation_id)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        try:
            if not self._begun:
                await self._begin()
            chunk = await anext(self._metered)
        except StopAsyncIteration:
            self._end(succeeded=self._is_finished)
            raise
        except asyncio.CancelledError:
            self._end(succeeded=self._has_text)
            task = asyncio.current_task()
            if self._is_closed or (task and task.cancelling()):
                raise
            # Closed with the provider, 15 s after a change of settings, and not by the feature or its task.
            closed = BrokenStreamError("the connection was closed by a change of settings")
            closed.began = True
            raise closed from None
        except LlmLspError as exc:
            self._fail(exc)
            raise
        self._progress = chunk.progress or self._progress
        if chunk.text and not self._has_text:
            self._has_text = True
            self._waited()
            self._choice.slot.answering()
        self._is_finished = self._is_finished or chunk.finish is not None
        return chunk

    def close(self) -> None:
        """Close the call; see `Stream.close`."""
        self._is_closed = True
        self._leave_place()
        self._metered.close()

    def release(self) -> None:
        """Release the connection; see `Stream.release`."""
        self._end(succeeded=self._has_text)
        self._metered.release()

    async def _begin(self) -> None:
        self._begun = True
        slot = self._choice.slot
        if self._request.feature == "completion":
            self._enter_traffic()
        self._ticket = slot.calls.enter(self._request.feature, self._choice.profile.max_in_flight)
        if not self._ticket.done():
            await self._ticket
            if skip := self._refusal():
                is_budget = skip.reason is Reason.OVER_BUDGET
                raise (BudgetError if is_budget else HeldBackError)(skip.detail or skip.reason.value)
        if self._request.feature == "edits":
            self._enter_traffic()
        self._is_counted = True
        self._sent_at = slot.now()
        slot.began()

    def _end(self, *, succeeded: bool) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._leave_place()
        if not self._is_counted:
            return  # no call was made, so nothing is known of the provider
        slot = self._choice.slot
        self._waited()
        if (reported := self._metered.usage.input_tokens) is not None:
            slot.counted(prompt_tokens(self.prompt), reported)
        if succeeded:
            slot.succeeded(self._choice.provider, self._instead_of)
        else:
            slot.left()

    def _fail(self, error: LlmLspError) -> None:
        if self._is_over:
            return
        is_chat = self._request.feature == "chat"
        if isinstance(error, SlowError):
            self._waited()
        # The ledger reports a budget to the user itself; and a model that rejects chats may still complete.
        if isinstance(error, BudgetError | HeldBackError) or (
            is_chat and isinstance(error, BadRequestError | NotFoundError)
        ):
            self._end(succeeded=False)
            return
        self._is_over = True
        self._leave_place()
        # An error of a question is shown with the question.
        self._choice.slot.failed(self._choice.provider, error, self._choice.attempt, is_reported=not is_chat)

    def _waited(self) -> None:
        """Record how long the model read the prompt; without text, that it takes longer than the time so far."""
        if self._is_timed or not self._is_counted:
            return
        self._is_timed = True
        slot = self._choice.slot
        seconds = slot.now() - self._sent_at
        slot.waited(prompt_tokens(self.prompt), seconds, self._progress, is_read=self._has_text)

    def _enter_traffic(self) -> None:
        """Join the calls: a completion when it begins to wait for its slot, a next edit when it has one.

        The edit's call is closed if a completion would have to wait for it.
        """
        feature, profile = self._request.feature, self._choice.profile
        is_in_the_way = feature == "edits" and (profile.local or profile.max_in_flight == 1)
        self._is_under_way = True
        self._traffic.began(self, feature, self._give_way if is_in_the_way else None)

    def _give_way(self) -> None:
        self.gave_way = True
        self.close()

    def _leave_place(self) -> None:
        """Free the slot, or stop waiting for one, which cancels the iteration."""
        if self._is_under_way:
            self._is_under_way = False
            self._traffic.ended(self, self._request.feature)
        if self._ticket is None:
            return
        if self._ticket.done() and not self._ticket.cancelled():
            self._choice.slot.calls.release()
        else:
            self._ticket.cancel()
        self._ticket = None
