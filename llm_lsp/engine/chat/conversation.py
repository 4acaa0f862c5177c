"""Answers questions about code with a chat model, and keeps the conversation."""

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
from llm_lsp.core.prompt.chat_prompt import THINKING_TOKENS
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.request import ModelRequest, Patience, Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.invisible_chars import visible
from llm_lsp.core.text.text import Text
from llm_lsp.core.text.token_estimate import estimate_tokens
from llm_lsp.engine.chat.asking import ChatCall, answered
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.usage.recorder import folder_of
from llm_lsp.errors import AskError, DialogueError

NOTHING_OPEN = Document("untitled:ask", "", 0, Text.of(""))
"""The document of a question that is not about any code."""

Progress = Callable[[str], None]
"""Called with each piece of the answer."""


class DialogueStore(Protocol):
    """Stores a conversation for each folder; its methods block on files."""

    def read(self, folder: str) -> tuple[Exchange, ...]:
        """Return the exchanges about a folder, named by its URI; raises DialogueError."""
        ...

    def write(self, folder: str, exchanges: tuple[Exchange, ...]) -> str:
        """Store the exchanges, and return the URI of a page that shows them; raises DialogueError."""
        ...


class InMemoryDialogues:
    """Keeps conversations in memory while the process runs."""

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
    """A question, independent of the provider that answers it."""

    request: ModelRequest
    code: str
    words: str
    before: tuple[Exchange, ...]
    progress: Progress


class ChatService:
    """Answers questions, with one conversation per folder."""

    def __init__(
        self, models: ModelAccess, dialogues: DialogueStore, notifications: Notifications, clock: Clock
    ) -> None:
        self._models = models
        self._dialogues = dialogues
        self._notifications = notifications
        self._clock = clock
        self._writing = asyncio.Lock()

    def request(self, inquiry: ChatQuestion, number: int) -> ModelRequest:
        """Return the request that a question's calls are made for."""
        # In an editor the user watches the screen; a command waits as long as it takes.
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
        """Raise AskError if the current settings do not allow sending anything."""
        if document is not NOTHING_OPEN:
            refuse(self._models, document)
        elif not self._models.runtime.rules.enabled:
            raise AskError(f"not asked, {Reason.DISABLED.value}")

    async def _answered(self, question: _Question) -> tuple[Exchange, Finish | None]:
        def heard(before: str, piece: str) -> None:
            # Escape in context: a combining mark within an emoji is not escaped, but a lone one is.
            last = before[-1:]
            question.progress(visible(last + piece).removeprefix(visible(last)))

        call = ChatCall(
            question.request,
            lambda choice: self._prompt(choice, question),
            heard,
            lambda: self._admit(question.request.document),
        )
        answer = await answered(self._models, call)
        sent = answer.prompt.messages[-1][1]
        # Redacting does not change the length of the text.
        at = len(question.code)
        return Exchange(sent[:at], sent[at:], answer.text), answer.finish

    def _prompt(self, choice: ProviderChoice, question: _Question) -> ChatPrompt:
        """Build the prompt; raises AskError if the question alone is too long."""
        message, profile, tokens = question.code + question.words, choice.profile, choice.slot.tokens
        room = tokens.budget(max(profile.context_tokens, PROMPT_TOKENS))
        if (n_tokens := estimate_tokens(message)) > room:
            raise AskError(
                f"the code is too long: about {n_tokens:.0f} tokens, but only {room:.0f} fit; select fewer lines"
            )
        # A local model reads slowly: earlier exchanges get no more room than a completion's prompt.
        before_room = tokens.budget(profile.context_tokens) if profile.local else room
        return dialogue(
            message, question.before, before_room, THINKING_TOKENS if profile.always_thinks else 0
        )

    async def _read_dialogue(self, folder: str, *, must: bool) -> tuple[Exchange, ...]:
        """Return a folder's conversation; if it cannot be read, raise DialogueError if `must`, else return none."""
        try:
            return await asyncio.to_thread(self._dialogues.read, folder)
        except DialogueError:
            if must:
                raise
            return ()

    async def _keep(
        self, folder: str, before: tuple[Exchange, ...], known: tuple[Exchange, ...], newest: Exchange
    ) -> str:
        """Store an answer after the exchanges `before` it, and after those added since the conversation was
        `known`.
        """
        try:
            async with self._writing:
                now = await self._read_dialogue(folder, must=False)
                since = tuple(exchange for exchange in now if exchange not in known)
                return await asyncio.to_thread(
                    self._dialogues.write, folder, remembered((*before, *since), newest)
                )
        except DialogueError as exc:
            # The user still gets the answer.
            self._notifications.say("dialogues", "warning", str(exc))
            return ""


def refuse(models: ModelAccess, document: Document) -> None:
    """Raise AskError if the current settings do not allow sending anything of a document."""
    if skip := models.admit_document(document):
        raise AskError(f"not asked, {skip.reason.value}{skip.detail and f': {skip.detail}'}")


def shown_path(uri: str, folders: tuple[str, ...]) -> str:
    """Return a document's path relative to its folder, or its name if it is in none."""
    return _path(uri, folder_of(uri, folders))


def _path(uri: str, folder: str) -> str:
    """Return a document's path relative to its folder, or its name if it is in none."""
    head = folder.rstrip("/") + "/"
    return unquote(uri.removeprefix(head) if folder and uri.startswith(head) else uri.rpartition("/")[2])
