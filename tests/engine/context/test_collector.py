"""Context is prepared during pauses in typing, and only selected at a request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.context.ranking import PreparedContext
from llm_lsp.core.generation import Usage
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.engine.completion.job import PreparedPrompt
from llm_lsp.engine.context.collector import ARRIVAL_S, IDLE_S
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from tests.doubles import FakeClock, ScriptedProvider, settle
from tests.engine.rig import ListedFinder, RecordingClient, same_stack

T = TypeVar("T")
CODE = """\
def order_total(order):
    total = sum(item.price for item in order.items)
    return total + shipping_cost(order.country)
"""
QUESTION = "def basket_total(order):\n    total = sum(item.price for item in order.items)\n    return "


class Desk:
    """An engine with a folder, and a thread that a test can stop."""

    def __init__(self, folder: Path, settings: dict[str, object]) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.surveys = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.provider = ScriptedProvider()
        world = EngineDependencies(
            ListedFinder([self.provider]), same_stack, self.clock, in_thread=self._in_thread
        )
        stack = SettingsStack().with_layer(SettingsSource.USER_FILE, settings)
        self.engine = CompletionEngine(stack, world, RecordingClient())
        self.engine.set_folders((folder.as_uri(),))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        found = work()
        if isinstance(found, PreparedContext):
            self.surveys += 1
            await self.gate.wait()
        return found

    def open(self, name: str = "a.py", text: str = QUESTION) -> Document:
        document = Document((self.folder / name).as_uri(), "python", 1, Text.of(text))
        self.engine.open(document)
        return document

    def type(self, document: Document, text: str) -> Document:
        end = document.text.end
        changed = Document(document.uri, "python", document.version + 1, document.text.edit(end, end, text))
        self.engine.change(changed, (Edit(end, end, text),))
        return changed

    def request(self, document: Document) -> CompletionRequest:
        return CompletionRequest(1, document, document.text.end, Trigger.MANUAL, "inline", self.clock.now())

    async def prompt(self, document: Document) -> str:
        """Return what would be sent to the model."""
        await settle()
        request = CompletionRequest(
            1, document, document.text.end, Trigger.MANUAL, "inline", self.clock.now()
        )
        question = self.engine.question(request)
        assert isinstance(question, PreparedPrompt)
        assert isinstance(question.prompt, RawPrompt)
        return question.prompt.text


@asynccontextmanager
async def desk(folder: Path, **context: object) -> AsyncIterator[Desk]:
    made = Desk(folder, {"context": context})
    try:
        yield made
    finally:
        made.gate.set()
        await made.engine.aclose()


async def test_a_prompt_shrinks_where_the_api_counts_more_tokens_than_we_do(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open(text="".join(f"value_{idx} = compute({idx})\n" for idx in range(900)))
        before = await at.prompt(document)
        (slot,) = at.engine.registry.slots(document, Trigger.MANUAL)
        for _ in range(40):
            slot.counted(1000, 2000)

        assert len(await at.prompt(document)) < 0.7 * len(before)


async def test_what_an_api_counts_for_a_prompt_is_learned(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open(text="".join(f"value_{idx} = compute({idx})\n" for idx in range(900)) + "last = ")
        await settle()
        task = asyncio.create_task(at.engine.complete(at.request(document)))
        await settle()
        at.provider.streams[0].finish("1", usage=Usage(4000, 1))
        await task

        (slot,) = at.engine.registry.slots(document, Trigger.MANUAL)
        assert slot.tokens.mean > 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "order.py").write_text(CODE)
    return tmp_path


async def test_a_neighbours_code_goes_with_the_prompt(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open()
        await at.clock.advance(ARRIVAL_S)

        prompt = await at.prompt(document)

        assert "# Path: order.py\n" in prompt
        assert "shipping_cost" in prompt
        assert prompt.index("shipping_cost") < prompt.index("basket_total")


@pytest.mark.parametrize(
    ("context", "fim", "is_told"),
    [
        pytest.param({}, "qwen", True, id="all, where nothing else is known"),
        pytest.param({}, "qwen-small", False, id="but for what a model gains nothing from"),
        pytest.param({"sources": ["signatures"]}, "qwen-small", True, id="or what the settings say"),
    ],
)
async def test_a_model_gets_what_it_was_found_to_gain_from(
    folder: Path, context: dict[str, object], fim: str, is_told: bool
) -> None:
    (folder / "lib.py").write_text("def shipping_cost(country: str) -> float:\n    return 1\n")
    async with desk(folder, **context) as at:
        at.provider.profile = Profile("scripted", "m", fim)
        document = at.open(text="from lib import shipping_cost\n\n\ncost = shipping_cost(")
        await at.clock.advance(ARRIVAL_S)

        assert ("country: str" in await at.prompt(document)) == is_told


async def test_what_a_model_does_not_get_stands_in_the_way_of_nothing(folder: Path) -> None:
    fields = [f"    field_{idx}: int = {idx}\n" for idx in range(6)]
    (folder / "lib.py").write_text("".join(["class Settings:\n", *fields]))
    async with desk(folder) as at:
        at.provider.profile = Profile("scripted", "m", "qwen-small")
        text = "".join(["import lib\n\n\nclass Settings:\n", *fields[:4], "    field_"])
        document = at.open(text=text)
        await at.engine.prepare(document, document.text.end)

        assert "# Path: lib.py" in await at.prompt(document)


@pytest.mark.parametrize(
    ("price", "is_sent"),
    [
        pytest.param("price", True, id="likeness 0.73"),
        pytest.param("net", False, id="likeness 0.63"),
    ],
)
async def test_a_small_model_gets_only_what_is_nearly_the_same(
    folder: Path, price: str, is_sent: bool
) -> None:
    async with desk(folder) as at:
        document = at.open(text=QUESTION.replace("price", price))
        await at.clock.advance(ARRIVAL_S)

        at.provider.profile = Profile("scripted", "m", "qwen-small")
        assert ("shipping_cost" in await at.prompt(document)) == is_sent
        at.provider.profile = Profile("scripted", "m", "qwen")
        assert "shipping_cost" in await at.prompt(document)


async def test_another_file_gets_its_context_at_once_after_an_edit(folder: Path) -> None:
    async with desk(folder) as at:
        first = at.open()
        await at.clock.advance(ARRIVAL_S)
        at.type(first, "x")
        n_surveys = at.surveys

        at.open("other.py")
        await at.clock.advance(ARRIVAL_S)

        assert at.surveys == n_surveys + 1


@pytest.mark.parametrize("is_late", [False, True], ids=["surveyed before", "while it is surveyed"])
async def test_text_that_was_closed_unsaved_is_not_sent(folder: Path, is_late: bool) -> None:
    async with desk(folder) as at:
        draft = at.open("draft.py", CODE.replace("shipping_cost", "secret_idea"))
        draft = at.type(draft, "order_total(secret_idea)\n")
        if is_late:
            at.gate.clear()
        document = at.open()
        await at.clock.advance(IDLE_S)
        assert is_late or "secret_idea" in await at.prompt(document)

        at.engine.close(draft.uri)
        at.gate.set()

        assert "secret_idea" not in await at.prompt(document)


async def test_a_request_waits_for_no_survey(folder: Path) -> None:
    async with desk(folder) as at:
        at.gate.clear()
        document = at.open()
        await at.clock.advance(ARRIVAL_S)

        assert "shipping_cost" not in await at.prompt(document)
        assert at.surveys == 1


async def test_typing_prepares_nothing_until_it_pauses(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open()
        await at.clock.advance(ARRIVAL_S)
        for _ in range(20):
            document = at.type(document, "x")
            await at.clock.advance(IDLE_S / 2)
        assert at.surveys == 1

        await at.clock.advance(IDLE_S)
        assert at.surveys == 2


async def test_what_is_ready_stays_as_it_is_while_somebody_types(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open()
        await at.clock.advance(ARRIVAL_S)
        first = await at.prompt(document)
        (folder / "order.py").unlink()
        document = at.type(document, "tot")

        second = await at.prompt(document)

        assert second.startswith(first[: first.index("basket_total")])


async def test_a_survey_that_began_before_an_edit_is_followed_by_another(folder: Path) -> None:
    async with desk(folder) as at:
        at.gate.clear()
        document = at.open()
        await at.clock.advance(ARRIVAL_S)
        at.type(document, "x")
        at.gate.set()
        await settle()
        await at.clock.advance(IDLE_S)

        assert at.surveys == 2


async def test_another_document_is_looked_around_soon(folder: Path) -> None:
    async with desk(folder) as at:
        first = at.open()
        await at.clock.advance(ARRIVAL_S)
        at.open("b.py")
        await at.clock.advance(ARRIVAL_S)
        at.type(first, "x")
        await at.clock.advance(ARRIVAL_S)

        assert at.surveys == 3


async def test_what_was_excluded_since_is_not_sent(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open()
        await at.clock.advance(ARRIVAL_S)
        at.engine.configure("editor settings", {"privacy": {"exclude": ["order.py"]}})

        assert "shipping_cost" not in await at.prompt(document)


@pytest.mark.parametrize("context", [{"sources": []}, {"share": 0}], ids=["no source", "no share"])
async def test_context_can_be_switched_off(folder: Path, context: dict[str, object]) -> None:
    async with desk(folder, **context) as at:
        document = at.open()
        await at.clock.advance(ARRIVAL_S)

        assert "shipping_cost" not in await at.prompt(document)
        assert at.surveys == 0


async def test_a_fault_of_the_survey_costs_only_the_context(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> PreparedContext:
        raise ZeroDivisionError("shipping_cost")

    monkeypatch.setattr("llm_lsp.engine.context.snippet_sources.ContextSources.prepare", broken)
    async with desk(folder) as at:
        document = at.open()
        await at.clock.advance(ARRIVAL_S)

        assert "basket_total" in await at.prompt(document)
    assert "ZeroDivisionError" in caplog.text
    assert "shipping_cost" not in caplog.text


async def test_a_command_prepares_for_the_place_that_it_asks_about(folder: Path) -> None:
    async with desk(folder) as at:
        document = at.open()
        await at.engine.prepare(document, Point(2, 0))

        assert "shipping_cost" in await at.prompt(document)


async def test_files_are_read_in_a_thread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    monkeypatch.setattr(
        "llm_lsp.engine.context.source_files.FileReader.read",
        lambda self, path, name: threads.append(threading.current_thread()),
    )
    client = RecordingClient()
    engine = CompletionEngine(
        SettingsStack(), EngineDependencies(ListedFinder([]), same_stack, FakeClock()), client
    )
    engine.set_folders((folder.as_uri(),))
    document = Document((folder / "a.py").as_uri(), "python", 1, Text.of(QUESTION))
    engine.open(document)
    try:
        with pytest.raises(AttributeError):  # the stand-in gives no file
            await engine.prepare(document, Point(0, 0))
    finally:
        await engine.aclose()

    assert threads
    assert threading.main_thread() not in threads
