"""What needs no call, and what gets none: states that are known, gates, and one edit from an input method."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from llm_lsp.config.settings import Config
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.providers.base import Provider
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import URI, ListedFinder, Rig, reason_of, text_of


class SlowFinder(ListedFinder):
    """Takes some turns of the loop."""

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        await settle()
        return await super().find(config, report)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.engine.aclose()


async def delete(rig: Rig, count: int = 1) -> None:
    """Delete at the document's end, a character an edit."""
    for _ in range(count):
        document = rig.engine.document(URI)
        assert document is not None
        end = document.text.end
        start = Point(end.line, end.column - 1)
        changed = Document(URI, "python", document.version + 1, document.text.edit(start, end, ""))
        rig.engine.change(changed, (Edit(start, end, ""),))


async def test_no_model_is_called_after_a_deletion(rig: Rig) -> None:
    await rig.write("value = compute")
    for _ in range(4):
        await delete(rig)
        assert reason_of(await rig.ask()) is Reason.DELETING

    assert not rig.provider.streams


async def test_a_typed_character_ends_a_row_of_deletions(rig: Rig) -> None:
    await rig.write("value = compute")
    await delete(rig)
    await rig.type("a")
    rig.ask()
    await rig.clock.advance(1)

    assert len(rig.provider.streams) == 1


async def test_who_deletes_back_into_a_known_state_is_answered_at_once(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x + 1\n"]
    await rig.ask()
    await rig.type("q")
    rig.ask()
    await settle()
    n_calls = len(rig.provider.streams)
    await delete(rig)
    task = rig.ask()
    await settle()

    assert text_of(task.result()) == "x + 1"
    assert len(rig.provider.streams) == n_calls


@pytest.mark.parametrize(
    "line", ["打印(结果);", "打印（结果）", "打印（结果）；", "完了。", "值 = 【结果】", "值 = 「结果」"]
)
async def test_a_finished_statement_asks_nobody_in_any_width(rig: Rig, line: str) -> None:
    await rig.write(line)

    assert reason_of(await rig.ask()) is Reason.STATEMENT_END


@pytest.mark.parametrize("closer", [")", "）", "】", "」", "；", "，"])
async def test_what_an_editor_or_input_method_closes_is_no_obstacle_in_any_width(
    rig: Rig, closer: str
) -> None:
    await rig.write(f"打印({closer}")
    rig.ask(at=Point(0, 3))
    await settle()

    assert len(rig.provider.streams) == 1


async def test_an_input_methods_commit_is_one_edit_along_a_suggestion(rig: Rig) -> None:
    await rig.write("# ")
    rig.provider.replies = ["返回结果列表\n"]
    await rig.ask()
    await rig.type("返回结果")

    assert text_of(await rig.ask()) == "列表"
    assert len(rig.provider.streams) == 1


async def test_after_an_accepted_line_the_next_is_there_at_once(rig: Rig) -> None:
    await rig.write("a = ")
    rig.provider.replies = ["1\nb = 2\nc = 3\n"]
    assert text_of(await rig.ask()) == "1"
    await rig.type("1")
    assert text_of(await rig.ask()) == "\nb = 2"
    await rig.type("\nb = 2\n")

    assert text_of(await rig.ask()) == "c = 3"
    assert len(rig.provider.streams) == 1


async def test_an_edit_elsewhere_in_the_file_forgets_nothing(rig: Rig) -> None:
    await rig.write("\n".join(f"line {number}" for number in range(20)) + "\ny = ")
    rig.provider.replies = ["x + 1\n"]
    await rig.ask()
    document = rig.engine.document(URI)
    assert document is not None
    top = Point(0, 0)
    changed = Document(URI, "python", 9, document.text.edit(top, top, "import os\n"))
    rig.engine.change(changed, (Edit(top, top, "import os\n"),))

    assert text_of(await rig.ask()) == "x + 1"
    assert len(rig.provider.streams) == 1


async def test_a_call_under_way_is_joined_before_any_gate_is_asked(rig: Rig) -> None:
    await rig.write("y = f(")
    rig.ask()
    await settle()
    await rig.type("x)")
    task = rig.ask()
    await settle()
    rig.provider.streams[0].finish("x) + 1\n")

    assert text_of(await task) == " + 1"
    assert len(rig.provider.streams) == 1


async def test_who_asks_by_hand_as_soon_as_a_file_is_open_waits_for_a_named_provider() -> None:
    named = {"provider": "mine", "providers": {"mine": {"api": "ollama", "base_url": "http://127.0.0.1:1"}}}
    provider = ScriptedProvider(replies=("1\n",))
    rig = Rig(settings=named, finder=SlowFinder([provider]))
    document = Document(URI, "python", 1, Text.of("y = "))
    rig.engine.open(document)
    typing, by_hand = (
        CompletionRequest(number, document, Point(0, 4), trigger, "inline", rig.clock.now())
        for number, trigger in enumerate(Trigger)
    )

    # Awaited as they are, so that the search has had no turns yet.
    assert reason_of(await rig.engine.complete(typing)) is Reason.LOADING
    assert text_of(await rig.engine.complete(by_hand)) == "1"
    await rig.engine.aclose()
