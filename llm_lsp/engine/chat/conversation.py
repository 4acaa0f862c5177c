"""Answers a question about code: one provider after the other, until one has said something; shows nothing."""

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
from llm_lsp.core.privacy.admission import admit_document
from llm_lsp.core.privacy.redact import redact_prompt
from llm_lsp.core.profile import Profile
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.request import CompletionRequest, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.core.text.tokens import estimate_tokens
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_slot import ProviderSlot
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
from llm_lsp.providers.base import Provider

NOTHING_OPEN = Document("untitled:ask", "", 0, Text.of(""))
"""What a question about no code is about."""

Progress = Callable[[str], None]
"""Is told each piece of the answer."""


class DialogueStore(Protocol):
    """Where dialogues are kept, one for each folder; its methods read and write files."""

    def read(self, folder: str) -> tuple[Exchange, ...]:
        """Give what was said about a folder, named by its URI; raises DialogueError."""
        ...

    def write(self, folder: str, exchanges: tuple[Exchange, ...]) -> str:
        """Keep what was said, and give the URI of a page that shows it; raises DialogueError."""
        ...


class InMemoryDialogues:
    """Keeps dialogues as long as the process runs."""

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
    """What is asked, whoever will answer."""

    request: CompletionRequest
    """Stands for it in the books."""
    code: str
    words: str
    before: tuple[Exchange, ...]
    progress: Progress


class ChatService:
    """Leads the dialogues."""

    def __init__(self, desk: ModelAccess, dialogues: DialogueStore) -> None:
        self._desk = desk
        self._dialogues = dialogues

    async def ask(self, inquiry: ChatQuestion, request: CompletionRequest, progress: Progress) -> ChatReply:
        """Answer one question; raises LlmLspError. `request` stands for it in the books."""
        document = request.document
        if document is not NOTHING_OPEN:
            await self._desk.document_guard.known(document.uri)
        self._admit(document)
        folders, uri = self._desk.registry.runtime.folders, document.uri
        folder = folder_of(uri, folders) or next(iter(folders), "")
        before = () if inquiry.is_new else await asyncio.to_thread(self._dialogues.read, folder)
        code = mark_code(inquiry, _path(uri, folder))
        question = _Question(request, code, inquiry.question, before, progress)
        exchange, finish = await self._answered(question)
        page = await self._keep(folder, remembered(before, exchange))
        return ChatReply(exchange.answer, finish is not Finish.LENGTH, page)

    def _admit(self, document: Document) -> None:
        """Raise AskError where nothing may be sent by the settings as they are now."""
        runtime = self._desk.registry.runtime
        skip = None if runtime.rules.enabled else Skip(Reason.DISABLED)
        if document is not NOTHING_OPEN:
            skip = admit_document(document, runtime.rules)
            skip = skip or self._desk.document_guard.refusal(document.uri, runtime.exclusion)
        if skip is not None:
            raise AskError(f"not asked, {skip.reason.value}{skip.detail and f': {skip.detail}'}")

    async def _answered(self, question: _Question) -> tuple[Exchange, Finish | None]:
        """Ask those whose turn it is, until one answers; the failure of the first is what counts."""
        failure: LlmLspError | None = None
        request, used_up = question.request, self._desk.books.ledger.used_up
        for slot in self._desk.registry.line(request.document, request.trigger, used_up):
            try:
                return await self._put(slot, question)
            except LlmLspError as exc:
                if isinstance(exc, ProviderError) and exc.began:
                    raise  # Half an answer has been shown.
                failure = failure or exc
        raise failure or AskError(Reason.NO_PROVIDER.value)

    async def _put(self, slot: ProviderSlot, question: _Question) -> tuple[Exchange, Finish | None]:
        await slot.ready()
        self._admit(question.request.document)  # That may have taken minutes.
        if slot.provider is None:
            raise AskError(slot.absent.detail or slot.absent.reason.value)
        if skip := slot.health.refusal(self._desk.clock.now(), Patience.ASKED):
            raise AskError(skip.detail)
        if not slot.provider.profile.free and (use := self._desk.books.ledger.used_up()):
            raise BudgetError(f"{use.words} are spent")
        prompt = self._prompt(slot, slot.provider.profile, question)
        slot.health.began(self._desk.clock.now())
        try:
            answer, finish = await self._read(slot.provider, prompt, question)
        except LlmLspError as exc:
            self._failed(slot, exc)
            raise _as_told(exc, slot.provider.profile) from exc
        except BaseException:
            # Also a fault of our own: a breaker whose probe never ends would stay open.
            slot.health.left()
            raise
        slot.health.went_well(self._desk.clock.now())
        sent = prompt.messages[-1][1]
        # A mask is as long as its secret.
        at = len(question.code)
        return Exchange(sent[:at], sent[at:], answer), finish

    def _prompt(self, slot: ProviderSlot, profile: Profile, question: _Question) -> ChatPrompt:
        """Write what is sent; raises AskError where the question alone is too long."""
        message = question.code + question.words
        room = slot.tokens.budget(max(profile.context_tokens, PROMPT_TOKENS))
        if (tokens := estimate_tokens(message)) > room:
            raise AskError(
                f"the code is too long: about {tokens:.0f} tokens, and {room:.0f} fit; name its lines"
            )
        # A model on this machine reads slowly: what was said before has what completion may have.
        before_room = slot.tokens.budget(profile.context_tokens) if profile.local else room
        prompt = dialogue(message, question.before, before_room)
        if not self._desk.registry.runtime.config.privacy.redact_secrets:
            return prompt
        masked, _ = redact_prompt(prompt, self._desk.redactor.redact)
        assert isinstance(masked, ChatPrompt)
        return masked

    async def _read(
        self, provider: Provider, prompt: ChatPrompt, question: _Question
    ) -> tuple[str, Finish | None]:
        books, request, profile = self._desk.books, question.request, provider.profile
        books.admitted(request, profile)
        self._desk.status.asked(profile)
        # A whole page takes as long as a command may wait.
        stream = books.metered(request, profile, prompt, provider.stream(prompt, Patience.COMMAND))
        text, finish = "", None
        try:
            async for chunk in stream:
                finish = chunk.finish or finish
                if chunk.text:
                    text += chunk.text
                    question.progress(chunk.text)
        except asyncio.CancelledError:
            stream.close()  # Nobody waits any more.
            raise
        finally:
            stream.release()
        if not text.strip():
            raise AskError(Reason.EMPTY.value)
        return text, finish

    def _failed(self, slot: ProviderSlot, error: LlmLspError) -> None:
        if isinstance(error, BadRequestError | NotFoundError) or not isinstance(error, ProviderError):
            # Who takes no dialogue may still complete.
            slot.health.left()
        else:
            slot.health.failed(error, Attempt(Patience.COMMAND), self._desk.clock.now())

    async def _keep(self, folder: str, exchanges: tuple[Exchange, ...]) -> str:
        try:
            return await asyncio.to_thread(self._dialogues.write, folder, exchanges)
        except DialogueError as exc:
            # The answer is here: it is not lost for that.
            self._desk.notifications.say("dialogues", "warning", str(exc))
            return ""


def _as_told(error: LlmLspError, profile: Profile) -> LlmLspError:
    """Say what may help where a model that completes refuses a dialogue."""
    is_refused = isinstance(error, BadRequestError | NotFoundError)
    if profile.fim == "chat" or not is_refused or isinstance(error, ContextTooLongError):
        return error
    return AskError(f"{error}; a model that only completes cannot be asked: choose another provider for it")


def _path(uri: str, folder: str) -> str:
    """Give a document's path in its folder, else its name."""
    head = folder.rstrip("/") + "/"
    return unquote(uri.removeprefix(head) if folder and uri.startswith(head) else uri.rpartition("/")[2])
