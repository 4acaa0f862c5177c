"""Rewrites selected code by an instruction, and writes commit messages, with a chat model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from llm_lsp.core.chat.dialogue import PROMPT_TOKENS
from llm_lsp.core.chat.rewriting import (
    RewriteAnswer,
    RewriteQuestion,
    StagedChanges,
    StagedFile,
    commit_message,
    commit_prompt,
    rewrite_prompt,
    rewritten,
)
from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.request import ModelRequest, Patience, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.language_ids import language_for_path
from llm_lsp.core.text.text import Text
from llm_lsp.engine.chat.asking import ChatCall, answered
from llm_lsp.engine.chat.conversation import refuse, shown_path
from llm_lsp.engine.clock import Clock, InThread
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.errors import AskError

Progress = Callable[[str], None]
"""Called with the new text so far."""


class StagedReader(Protocol):
    """Reads what will be committed in a folder, given its URI; blocks on a process, and raises GitError."""

    def __call__(self, folder: str) -> StagedChanges: ...


class RewriteService:
    """Asks for new text of a part of a document, and for commit messages."""

    def __init__(
        self, models: ModelAccess, staged: StagedReader | None, clock: Clock, in_thread: InThread
    ) -> None:
        self._models = models
        self._staged = staged
        self._clock = clock
        self._in_thread = in_thread

    def request(self, number: int, document: Document) -> ModelRequest:
        """Return the request that the calls are made for; the user watches the screen."""
        return ModelRequest(number, "chat", document, Trigger.MANUAL, Patience.ASKED, self._clock.now())

    async def rewrite(
        self, question: RewriteQuestion, request: ModelRequest, progress: Progress
    ) -> RewriteAnswer:
        """Return the new text of some lines; raises LlmLspError."""
        document = question.document
        await self._models.examined(document.uri)
        path = shown_path(document.uri, self._models.runtime.folders)
        prompt = rewrite_prompt(question, path, self._models.redact(self._models.runtime))

        def build(choice: ProviderChoice) -> ChatPrompt:
            return prompt

        def heard(before: str, piece: str) -> None:
            # A whole line at a time: each report is the whole text so far.
            if "\n" in piece:
                progress(rewritten(question, before + piece))

        admit = partial(refuse, self._models, document)
        admit()
        answer = await answered(self._models, ChatCall(request, build, heard, admit))
        text = rewritten(question, answer.text)
        if not text:
            raise AskError("the model returned no code")
        return RewriteAnswer(text, answer.finish is not Finish.LENGTH)

    async def commit_message(self, folder: str, number: int) -> str:
        """Return a message for what is staged in a folder, without excluded files; raises LlmLspError."""
        staged = self._staged
        if staged is None or folder not in self._models.runtime.folders:
            raise AskError("the folder is not open, so its repository is not read")
        changes = await self._in_thread(lambda: staged(folder))
        if not changes.files:
            raise AskError("nothing is staged: stage the changes of the commit first (git add)")
        documents = [_document(folder, file) for file in changes.files]
        kept = []
        for file, document in zip(changes.files, documents, strict=True):
            await self._models.examined(document.uri)
            if self._models.admit_document(document) is None:
                kept.append((file, document))
        if not kept:
            raise AskError("every staged file is excluded, so nothing is sent")
        request = self.request(number, kept[0][1])

        def build(choice: ProviderChoice) -> ChatPrompt:
            tokens = choice.slot.tokens
            files = tuple(
                file
                for file, document in kept
                if choice.profile.local or self._models.stays_here(document.uri) is None
            )
            allowed = StagedChanges(files, changes.subjects)
            return commit_prompt(allowed, tokens.budget(max(choice.profile.context_tokens, PROMPT_TOKENS)))

        def admit() -> None:
            for _, document in kept:
                refuse(self._models, document)

        call = ChatCall(request, build, lambda before, piece: None, admit)
        message = commit_message((await answered(self._models, call)).text)
        if not message:
            raise AskError("the model returned no message")
        return message


def _document(folder: str, file: StagedFile) -> Document:
    """Return a file's diff as a document at its place, for what decides whether it may be sent."""
    from urllib.parse import quote

    uri = f"{folder.rstrip('/')}/{quote(file.path)}"
    return Document(uri, language_for_path(file.path), 0, Text.of(file.diff))
