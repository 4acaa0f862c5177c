"""Answers questions about code with a chat model, and keeps what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from llm_lsp.core.chat.dialogue import (
    PROMPT_TOKENS,
    ChatQuestion,
    ChatReply,
    Exchange,
    dialogue,
    mark_code,
    remembered,
)
from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import ModelRequest, Patience, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.invisible_chars import visible
from llm_lsp.core.text.text import Text
from llm_lsp.core.text.token_estimate import estimate_tokens
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.usage.recorder import folder_of
from llm_lsp.errors import (
    AskError,
    BadRequestError,
    BudgetError,
    ContextTooLongError,
    DialogueError,
    LlmLspError,
    NotFoundError,
    ProviderError,
)

NOTHING_OPEN = Document("untitled:ask", "", 0, Text.of(""))
"""What a question about no code is about."""

Progress = Callable[[str], None]
"""Is called with each piece of the answer."""


class DialogueStore(Protocol):
    """Keeps dialogues, one for each folder; its methods read and write files."""

    def read(self, folder: str) -> tuple[Exchange, ...]:
        """Return the exchanges about a folder, named by its URI; raises DialogueError."""
        ...

    def write(self, folder: str, exchanges: tuple[Exchange, ...]) -> str:
        """Keep the exchanges, and return the URI of a page that shows them; raises DialogueError."""
        ...


class InMemoryDialogues:
    """Keeps dialogues while the process runs."""

    def __init__(self) -> None:
        self._exchanges: dict[str, tuple[Exchange, ...]] = {}

    def read(self, folder: str) -> tuple[Exchange, ...]:
        """See DialogueStore."""
        return self._exchanges.get(folder, ())

    def write(self, folder: str, exchanges: tuple[Exchange, ...]) -> str:
        """See DialogueStore; there is no page."""
        self._exchanges[folder] = exchanges
        return ""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, whichever provider answers."""

    request: ModelRequest
    code: str
    words: str
    before: tuple[Exchange, ...]
    progress: Progress


class ChatService:
    """Answers questions, and keeps one dialogue for each folder."""

    def __init__(
        self, models: ModelAccess, dialogues: DialogueStore, notifications: Notifications, clock: Clock
    ) -> None:
        self._models = models
        self._dialogues = dialogues
        self._notifications = notifications
        self._clock = clock
        self._writing = asyncio.Lock()

    def request(self, inquiry: ChatQuestion, number: int) -> ModelRequest:
        """Return what the calls for a question are made for."""
        # The user looks at the screen in an editor, and a command waits for its answer.
        patience = Patience.COMMAND if inquiry.face == "command" else Patience.ASKED
        document = inquiry.document or NOTHING_OPEN
        return ModelRequest(number, "chat", document, Trigger.MANUAL, patience, self._clock.now())

    async def ask(self, inquiry: ChatQuestion, request: ModelRequest, progress: Progress) -> ChatReply:
        """Answer one question; raises LlmLspError."""
        document = request.document
        if document is not NOTHING_OPEN:
            await self._models.examined(document.uri)
        self._admit(document)
        folders, uri = self._models.runtime.folders, document.uri
        folder = folder_of(uri, folders) or next(iter(folders), "")
        known = await self._read_dialogue(folder, must=not inquiry.is_new)
        before = () if inquiry.is_new else known
        code = mark_code(inquiry, _path(uri, folder), self._models.redact(self._models.runtime))
        question = _Question(request, code, inquiry.question, before, progress)
        exchange, finish = await self._answered(question)
        page = await self._keep(folder, before, known, exchange)
        return ChatReply(visible(exchange.answer), finish is not Finish.LENGTH, page)

    def _admit(self, document: Document) -> None:
        """Raise AskError if nothing may be sent under the settings as they are now."""
        if document is not NOTHING_OPEN:
            skip = self._models.admit_document(document)
        else:
            skip = None if self._models.runtime.rules.enabled else Skip(Reason.DISABLED)
        if skip is not None:
            raise AskError(f"not asked, {skip.reason.value}{skip.detail and f': {skip.detail}'}")

    async def _answered(self, question: _Question) -> tuple[Exchange, Finish | None]:
        """Ask one provider after the other until one answers; if none does, raise the failure of the first."""
        failure: LlmLspError | None = None
        tried: set[str] = set()
        restarted: set[str] = set()
        while True:
            choice = await self._models.failover.usable(question.request, tried, waits=True)
            self._admit(question.request.document)  # The wait may have taken minutes.
            if isinstance(choice, Skip):
                raise failure or _as_error(choice)
            tried.add(choice.slot.name)
            try:
                return await self._read(choice, question)
            except LlmLspError as exc:
                if isinstance(exc, ProviderError) and exc.began:
                    raise  # Half an answer has been shown.
                if choice.is_gone and choice.slot.name not in restarted:
                    # Its own server had gone idle and is being started again: that is no error.
                    restarted.add(choice.slot.name)
                    tried.discard(choice.slot.name)
                    continue
                failure = failure or _with_remedy(exc, choice.profile)

    async def _read(self, choice: ProviderChoice, question: _Question) -> tuple[Exchange, Finish | None]:
        # A whole page takes as long as a command may wait.
        stream = self._models.stream(
            question.request, choice, lambda: self._prompt(choice, question), Patience.COMMAND
        )
        text, finish = "", None
        try:
            async for chunk in stream:
                finish = chunk.finish or finish
                if chunk.text:
                    before, text = text[-1:], text + chunk.text
                    # With what stands before it: a mark that belongs to an emoji is none to escape.
                    question.progress(visible(before + chunk.text).removeprefix(visible(before)))
        except asyncio.CancelledError:
            stream.close()  # The client has cancelled the question.
            raise
        finally:
            stream.release()
        if not text.strip():
            raise AskError(Reason.EMPTY.value)
        assert isinstance(stream.prompt, ChatPrompt)
        sent = stream.prompt.messages[-1][1]
        # A mask is as long as its secret.
        at = len(question.code)
        return Exchange(sent[:at], sent[at:], text), finish

    def _prompt(self, choice: ProviderChoice, question: _Question) -> ChatPrompt:
        """Build the prompt; raises AskError if the question alone is too long."""
        message, profile, tokens = question.code + question.words, choice.profile, choice.slot.tokens
        room = tokens.budget(max(profile.context_tokens, PROMPT_TOKENS))
        if (n_tokens := estimate_tokens(message)) > room:
            raise AskError(
                f"the code is too long: about {n_tokens:.0f} tokens, and {room:.0f} fit; name its lines"
            )
        # A model on this machine reads slowly: earlier exchanges get what a completion's prompt may have.
        before_room = tokens.budget(profile.context_tokens) if profile.local else room
        return dialogue(message, question.before, before_room)

    async def _read_dialogue(self, folder: str, *, must: bool) -> tuple[Exchange, ...]:
        """Return a folder's dialogue; one that cannot be read raises DialogueError if it must be."""
        try:
            return await asyncio.to_thread(self._dialogues.read, folder)
        except DialogueError:
            if must:
                raise
            return ()

    async def _keep(
        self, folder: str, before: tuple[Exchange, ...], known: tuple[Exchange, ...], newest: Exchange
    ) -> str:
        """Write an answer behind those `before` it, and behind those to other questions since its dialogue was `known`."""
        try:
            async with self._writing:
                now = await self._read_dialogue(folder, must=False)
                since = tuple(exchange for exchange in now if exchange not in known)
                return await asyncio.to_thread(
                    self._dialogues.write, folder, remembered((*before, *since), newest)
                )
        except DialogueError as exc:
            # The answer is here: it is not lost for that.
            self._notifications.say("dialogues", "warning", str(exc))
            return ""


def _as_error(skip: Skip) -> LlmLspError:
    """Return why no provider is asked, as an error."""
    if skip.reason is Reason.OVER_BUDGET:
        return BudgetError(skip.detail)
    return AskError(skip.detail or skip.reason.value)


def _with_remedy(error: LlmLspError, profile: Profile) -> LlmLspError:
    """Return the error with what may help, if a model that completes refuses a dialogue."""
    is_refused = isinstance(error, BadRequestError | NotFoundError)
    if profile.fim == "chat" or not is_refused or isinstance(error, ContextTooLongError):
        return error
    return AskError(f"{error}; a model that only completes cannot be asked: choose another provider for it")


def _path(uri: str, folder: str) -> str:
    """Return a document's path in its folder, or its name if it is in none."""
    head = folder.rstrip("/") + "/"
    return unquote(uri.removeprefix(head) if folder and uri.startswith(head) else uri.rpartition("/")[2])
