"""Asks the providers in turn for one chat answer: for questions, rewrites and commit messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import ModelRequest, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.errors import (
    AskError,
    BadRequestError,
    BudgetError,
    ContextTooLongError,
    LlmLspError,
    NotFoundError,
    ProviderError,
)


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A question, independent of the provider that answers it."""

    request: ModelRequest
    build_prompt: Callable[[ProviderChoice], ChatPrompt]
    heard: Callable[[str, str], None]
    """Called with each piece of the answer: the text before it, and the piece."""
    admit: Callable[[], None]
    """Raises AskError if the current settings do not allow sending anything."""


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a provider answered."""

    prompt: ChatPrompt
    """What was sent, redacted."""
    text: str
    finish: Finish | None


async def answered(models: ModelAccess, call: ChatCall) -> ProviderAnswer:
    """Ask the providers in turn until one answers; if none does, raise the first one's error."""
    failure: LlmLspError | None = None
    tried: set[str] = set()
    restarted: set[str] = set()
    while True:
        choice = await models.failover.usable(call.request, tried, waits=True)
        call.admit()  # again, since the wait may have taken minutes
        if isinstance(choice, Skip):
            raise failure or _as_error(choice)
        tried.add(choice.slot.name)
        try:
            return await _read(models, choice, call)
        except LlmLspError as exc:
            if isinstance(exc, ProviderError) and exc.began:
                raise  # part of an answer has been shown
            if choice.is_gone and choice.slot.name not in restarted:
                # Our own server ended while idle and is being restarted, which is not an error.
                restarted.add(choice.slot.name)
                tried.discard(choice.slot.name)
                continue
            failure = failure or _with_remedy(exc, choice.profile)


async def _read(models: ModelAccess, choice: ProviderChoice, call: ChatCall) -> ProviderAnswer:
    # Allow as much time as for a command: an answer may fill a page.
    stream = models.stream(call.request, choice, lambda: call.build_prompt(choice), Patience.COMMAND)
    text, finish = "", None
    try:
        async for chunk in stream:
            finish = chunk.finish or finish
            if chunk.text:
                before, text = text, text + chunk.text
                call.heard(before, chunk.text)
    except asyncio.CancelledError:
        stream.close()  # the client has cancelled the question
        raise
    finally:
        stream.release()
    if not text.strip():
        raise AskError(Reason.EMPTY.value)
    assert isinstance(stream.prompt, ChatPrompt)
    return ProviderAnswer(stream.prompt, text, finish)


def _as_error(skip: Skip) -> LlmLspError:
    """Return the error for a request that no provider may answer."""
    if skip.reason is Reason.OVER_BUDGET:
        return BudgetError(skip.detail)
    return AskError(skip.detail or skip.reason.value)


def _with_remedy(error: LlmLspError, profile: Profile) -> LlmLspError:
    """Add a hint to the error if a completion-only model rejected a chat."""
    is_refused = isinstance(error, BadRequestError | NotFoundError)
    if profile.fim == "chat" or not is_refused or isinstance(error, ContextTooLongError):
        return error
    return AskError(
        f"{error}; this model only completes and cannot chat: choose another provider for questions"
    )
