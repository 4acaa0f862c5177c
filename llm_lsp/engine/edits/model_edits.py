"""Asks a model for the next edit where the rules find none.

A call waits until the user pauses and no completion is in flight, and is closed as soon as the document changes or, on
this machine, a completion begins. What is asked and what is shown of an answer is decided in a thread.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from llm_lsp.config.settings import AUTO
from llm_lsp.core.edits.next_edit import EditRequest, NextEdit
from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import ModelRequest, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.engine.clock import Clock, InThread
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.errors import HeldBackError, InternalError, LlmLspError

if TYPE_CHECKING:
    from llm_lsp.core.edits.by_model.edit_families import EditFamily
    from llm_lsp.core.edits.by_model.edit_task import EditTask
    from llm_lsp.engine.edits.decision import EditQuestion
    from llm_lsp.engine.edits.model_question import ModelQuestion

# Seconds without a key before a call: Copilot's value, its longer one behind the end of a line, where a completion comes
# first (microsoft/vscode-copilot-chat, inlineEditTriggerer.ts), and half a second if a call costs money.
QUIET_S, LINE_END_S, PAID_S = 0.1, 2.0, 0.5
# Seconds after the last change of a document within which a model is asked (Copilot).
FRESH_S = 10.0
# Reasons of answers that are not the model's: it may be asked the next time.
NOT_ASKED = (
    Reason.LOADING,
    Reason.NO_PROVIDER,
    Reason.RATE_LIMITED,
    Reason.CIRCUIT_OPEN,
    Reason.OVER_BUDGET,
    Reason.SUPERSEDED,
    Reason.PROVIDER_FAILED,
)

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model wrote, as far as it was read."""

    text: str
    finish: Finish


@dataclass(frozen=True, slots=True)
class PreparedEdit:
    """What would be sent to a provider for a next edit."""

    prompt: Prompt
    profile: Profile


class ModelEdits:
    """Calls models for next edits."""

    def __init__(self, models: ModelAccess, clock: Clock, in_thread: InThread) -> None:
        self._models = models
        self._clock = clock
        self._in_thread = in_thread
        self._asking: dict[str, asyncio.Task[NextEdit | Skip | None]] = {}
        """The question about the newest text of each document, by URI."""

    async def find(
        self, request: EditRequest, question: EditQuestion, doubtful: NextEdit | None, log: RequestLog
    ) -> NextEdit | Skip | None:
        """Return the edit that a model makes and that may be shown, or why there is none; None if none is asked.

        `doubtful` is an edit whose place the model judges. Requests for the same text share one call, which goes on
        if they are cancelled.
        """
        uri = request.document.uri
        task = self._asking.get(uri)
        if task is None:
            task = self._asking[uri] = asyncio.create_task(self._found(request, question, doubtful, log))
            task.add_done_callback(partial(self._forget, uri))
        else:
            log.left("model", "asked already", self._clock.now())
        await asyncio.wait({task})
        return Skip(Reason.SUPERSEDED) if task.cancelled() else task.result()

    async def ask_now(
        self, request: EditRequest, question: EditQuestion, doubtful: NextEdit | None
    ) -> NextEdit | Skip:
        """Return what a model makes of a question, without waiting for a pause; for commands."""
        from llm_lsp.engine.edits.model_question import ModelQuestion

        found = await self._choice(request)
        if isinstance(found, Skip):
            return found
        about = ModelQuestion(question, doubtful, self._models.runtime.folders)
        return await self._ask(*found, about, RequestLog())

    async def prepared(
        self, request: EditRequest, question: EditQuestion, doubtful: NextEdit | None
    ) -> PreparedEdit | Skip:
        """Return what would be sent for a question, or why nothing would be."""
        from llm_lsp.engine.edits.model_question import ModelQuestion, prepare

        found = await self._choice(request)
        if isinstance(found, Skip):
            return found
        _, choice = found
        about = ModelQuestion(question, doubtful, self._models.runtime.folders)
        family = _family(choice)
        if isinstance(family, Skip):
            return family
        task = await self._in_thread(partial(prepare, about, family, choice.budget_tokens))
        if isinstance(task, Skip):
            return task
        return PreparedEdit(self._models.prompt(choice, lambda: task.prompt), choice.profile)

    def end(self, uri: str) -> None:
        """Close the call for a document: its text has changed."""
        if task := self._asking.pop(uri, None):
            task.cancel()

    async def aclose(self) -> None:
        """Close all calls."""
        tasks = [*self._asking.values()]
        for uri in [*self._asking]:
            self.end(uri)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, uri: str, task: asyncio.Task[NextEdit | Skip | None]) -> None:
        if self._asking.get(uri) is task:
            del self._asking[uri]

    async def _found(
        self, request: EditRequest, question: EditQuestion, doubtful: NextEdit | None, log: RequestLog
    ) -> NextEdit | Skip | None:
        from llm_lsp.engine.edits.model_question import ModelQuestion

        changed_at = question.change.changed_at
        if self._clock.now() - changed_at > FRESH_S:
            return None
        try:
            found = await self._choice(request)
            runtime = self._models.runtime
            if isinstance(found, Skip):
                return None if runtime.config.edits.provider == AUTO else found
            asked, choice = found
            await self._sleep_until(changed_at + _quiet_s(request, choice))
            log.left("pause", "no key was pressed", self._clock.now())
            return await self._ask(asked, choice, ModelQuestion(question, doubtful, runtime.folders), log)
        except Exception as exc:
            LOG.error("no next edit: %s", InternalError.of(exc))
            return Skip(Reason.FAULT)

    async def _sleep_until(self, when: float) -> None:
        if when <= self._clock.now():
            return
        passed = asyncio.Event()
        timer = self._clock.call_at(when, passed.set)
        try:
            await passed.wait()
        finally:
            timer.cancel()

    async def _choice(self, request: EditRequest) -> tuple[ModelRequest, ProviderChoice] | Skip:
        """Return the provider that writes next edits, or why there is none."""
        asked = ModelRequest(
            request.id, "edits", request.document, request.trigger, request.patience, self._clock.now()
        )
        choice = await self._models.failover.usable(asked, waits=request.patience is Patience.COMMAND)
        if isinstance(choice, Skip):
            return choice
        profile, rate = choice.profile, choice.slot.health.rate
        rate.calls_per_minute = choice.runtime.config.completion.calls_per_minute
        is_automatic = request.patience is Patience.TYPING
        if is_automatic and not profile.local and not rate.allows(self._clock.now()):
            return Skip(Reason.RATE_LIMITED)
        return asked, choice

    async def _ask(
        self, asked: ModelRequest, choice: ProviderChoice, question: ModelQuestion, log: RequestLog
    ) -> NextEdit | Skip:
        """Return the edit that a model makes and that may be shown, or why there is none."""
        from llm_lsp.engine.edits.model_question import judge, prepare

        profile = choice.profile
        family = _family(choice)
        if isinstance(family, Skip):
            return family
        prepared = partial(prepare, question, family, choice.budget_tokens)
        task = await self._in_thread(prepared)
        if isinstance(task, Skip):
            return task
        where = f"at line {question.place.line + 1}"
        log.left(
            "prompt", f"{family.format} for {profile.provider} {profile.model}, {where}", self._clock.now()
        )
        if profile.local:
            await self._models.traffic.quiet()
        try:
            answer = await self._read(asked, choice, task)
        except LlmLspError as exc:
            is_held = isinstance(exc, HeldBackError)
            return Skip(Reason.SUPERSEDED if is_held else Reason.PROVIDER_FAILED, str(exc))
        log.left("model", f"{len(answer.text)} characters, {answer.finish.value}", self._clock.now())
        return await self._in_thread(partial(judge, question, task, answer.text, answer.finish))

    async def _read(self, asked: ModelRequest, choice: ProviderChoice, task: EditTask) -> ModelAnswer:
        """Read an answer until it agrees with the old text again; raises LlmLspError."""
        stream = self._models.stream(asked, choice, lambda: task.prompt)
        text, finish = "", None
        try:
            async for chunk in stream:
                text += chunk.text
                finish = chunk.finish or finish
                if "\n" in chunk.text and finish is None and task.completed(text) is not None:
                    return ModelAnswer(text, Finish.CUT)
        except asyncio.CancelledError:
            if not stream.gave_way:
                stream.close()
                raise
            _uncancel()
            raise HeldBackError("a completion needs the model") from None
        finally:
            stream.release()
        return ModelAnswer(text, finish or Finish.TRUNCATED)


def _family(choice: ProviderChoice) -> EditFamily | Skip:
    """Return the format in which a model is asked."""
    from llm_lsp.engine.edits.model_question import family_for

    profile = choice.profile
    family = family_for(profile, choice.runtime.config.edits.format)
    return family or Skip(Reason.NO_EDIT_MODEL, f"{profile.provider}: {profile.model}")


def _quiet_s(request: EditRequest, choice: ProviderChoice) -> float:
    """Return how long the user must have paused before a call."""
    line, column = request.document.text.line(request.point.line), request.point.column
    if line.strip() and not line[column:].strip():
        return LINE_END_S
    return QUIET_S if choice.profile.free else PAID_S


def _uncancel() -> None:
    """Undo the cancellation by which a closed stream ends the task that reads it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        task.uncancel()
