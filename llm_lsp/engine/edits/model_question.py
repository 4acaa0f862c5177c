"""Prepares a question for a next edit to a model, and reads its answer. It runs in a thread: it reads whole texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from llm_lsp.core.edits.by_model.edit_families import CHAT, EDIT_FAMILIES, EditFamily, edit_family_of
from llm_lsp.core.edits.by_model.edit_input import edit_input
from llm_lsp.core.edits.by_model.edit_task import EditTask, is_confusing, task_for
from llm_lsp.core.edits.by_model.judge_answer import EditedPlace, judge_answer
from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.generation import Finish
from llm_lsp.core.privacy.redact import Redacted, holds_mask
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.text import Point
from llm_lsp.engine.edits.decision import EditQuestion, is_near_secret
from llm_lsp.engine.usage.recorder import folder_of


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """A decision that is left to a model."""

    question: EditQuestion
    doubtful: NextEdit | None
    """An edit that the rules found and are not certain of: the model judges its place."""
    folders: tuple[str, ...]

    @property
    def place(self) -> Point:
        """Where the model looks for an edit."""
        return self.doubtful.start if self.doubtful else self.question.point


def family_for(profile: Profile, format_name: str) -> EditFamily | None:
    """Return the format in which a provider's model is asked; None if it cannot write next edits."""
    family: EditFamily | None = next((each for each in EDIT_FAMILIES if each.format == format_name), None)
    if format_name == "auto":
        family = edit_family_of(profile.model) or (CHAT if profile.fim == "chat" else None)
    # An API for chats takes no raw prompt.
    return None if family is None or (profile.fim == "chat") is not (family is CHAT) else family


def prepare(asked: ModelQuestion, family: EditFamily, max_tokens: float) -> EditTask | Skip:
    """Return what is sent, redacted, or why nothing may be sent."""
    question = asked.question
    document, redactor = question.document, question.redactor
    if redactor and redactor.touches(document.text, asked.place):
        return Skip(Reason.SECRET)
    source = edit_input(
        document,
        asked.place,
        question.bursts,
        lambda uri: shown_path(uri, asked.folders),
        redactor.redact if redactor else Redacted,
        is_jump=asked.doubtful is not None,
    )
    if is_confusing(source, family):
        return Skip(Reason.MARKS)
    return task_for(source, family, max_tokens)


def judge(asked: ModelQuestion, task: EditTask, answer: str, finish: Finish) -> NextEdit | Skip:
    """Return the edit of an answer that may be shown, or why none is."""
    question = asked.question
    place = EditedPlace(question.document, asked.place.line, tuple(question.bursts), question.change.earlier)
    return judge_answer(task, answer, finish, place, _refusal(question))


def shown_path(uri: str, folders: tuple[str, ...]) -> str:
    """Return the path of a document as a model sees it: relative to its folder, else only its name."""
    folder = folder_of(uri, folders).rstrip("/")
    return unquote(uri.removeprefix(f"{folder}/") if folder else uri.rpartition("/")[2])


def _refusal(question: EditQuestion) -> Callable[[NextEdit], Reason | None]:
    document, redactor = question.document, question.redactor

    def refusal(edit: NextEdit) -> Reason | None:
        if question.dismissals.has(document.uri, edit):
            return Reason.DISMISSED
        if redactor is None:
            return None
        if holds_mask(edit.new) and not holds_mask(edit.old):
            return Reason.MASKED
        return Reason.SECRET if is_near_secret(redactor, document.text, edit) else None

    return refusal
