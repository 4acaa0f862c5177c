"""Rewriting a part of a document, and commit messages: what is sent, and to whom."""

from __future__ import annotations

import asyncio

import pytest

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.chat.rewriting import RewriteQuestion, StagedChanges, StagedFile
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.errors import AskError
from tests.doubles import FakeClock, ScriptedProvider, at_once
from tests.engine.rig import ListedFinder, RecordingClient, same_stack

FOLDER = "file:///p"
DOCUMENT = Document("file:///p/a.py", "python", 3, Text.of("a = 1\nb = 2\n"))
QUESTION = RewriteQuestion(DOCUMENT, 1, 2, "three")
STAGED = StagedChanges((StagedFile("a.py", "+a = 1\n"), StagedFile("secret/b.py", "+hidden\n")), ("Add a",))


class Office:
    """An engine with a chat model, and something staged."""

    def __init__(self, *replies: str, staged: StagedChanges = STAGED, **settings: object) -> None:
        self.provider = ScriptedProvider(Profile("scripted", "m", "chat"), replies)
        stack = SettingsStack().with_layer(SettingsSource.USER_FILE, settings)
        self.engine = CompletionEngine(
            stack,
            EngineDependencies(
                ListedFinder([self.provider]),
                same_stack,
                FakeClock(),
                staged=lambda folder: staged,
                in_thread=at_once,
            ),
            RecordingClient(),
        )
        self.engine.set_folders((FOLDER,))

    def sent(self) -> str:
        (stream,) = self.provider.streams
        assert isinstance(stream.prompt, ChatPrompt)
        return stream.prompt.messages[-1][1]


async def test_a_part_is_rewritten_and_shown_as_it_comes() -> None:
    office = Office("```\nb = 3\n```\n")
    shown: list[str] = []

    answer = await asyncio.create_task(office.engine.rewrite(QUESTION, shown.append))

    assert (answer.text, answer.is_whole) == ("b = 3\n", True)
    assert shown == ["b = 3\n"]
    assert office.sent().startswith("File: a.py\na = 1\n<rewrite>\nb = 2\n")
    await office.engine.aclose()


async def test_an_excluded_file_is_not_rewritten() -> None:
    office = Office("x", privacy={"exclude": ["a.py"]})

    with pytest.raises(AskError, match="excluded"):
        await asyncio.create_task(office.engine.rewrite(QUESTION))

    assert office.provider.streams == []
    await office.engine.aclose()


async def test_an_answer_without_code_is_an_error() -> None:
    office = Office("```\n```\n")

    with pytest.raises(AskError, match="no code"):
        await asyncio.create_task(office.engine.rewrite(QUESTION))
    await office.engine.aclose()


async def test_a_commit_message_is_written_from_what_is_staged_without_excluded_files() -> None:
    office = Office("Add a\n", privacy={"exclude": ["secret/"]})

    message = await asyncio.create_task(office.engine.commit_message(FOLDER))

    assert message == "Add a"
    assert "+a = 1" in office.sent()
    assert "hidden" not in office.sent()
    assert "secret" not in office.sent()
    await office.engine.aclose()


@pytest.mark.parametrize(
    ("folder", "staged", "exclude", "why"),
    [
        ("file:///elsewhere", STAGED, [], "not open"),
        (FOLDER, StagedChanges(()), [], "nothing is staged"),
        (FOLDER, STAGED, ["*"], "excluded"),
    ],
)
async def test_no_message_without_anything_that_may_be_sent(
    folder: str, staged: StagedChanges, exclude: list[str], why: str
) -> None:
    office = Office("x", staged=staged, privacy={"exclude": exclude})

    with pytest.raises(AskError, match=why):
        await asyncio.create_task(office.engine.commit_message(folder))

    assert office.provider.streams == []
    await office.engine.aclose()
