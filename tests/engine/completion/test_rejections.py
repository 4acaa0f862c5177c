"""What was dismissed or undone is not offered at its place again."""

from __future__ import annotations

import pytest

from llm_lsp.core.request import Completion, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit
from tests.engine.rig import URI, Rig, reason_of, text_of


async def offered(rig: Rig, text: str = "first + second") -> Completion:
    """Write a line and let a model complete it."""
    await rig.write("y = ")
    rig.provider.replies = [f"{text}\n"]
    shown = await rig.ask()
    assert isinstance(shown, Completion)
    return shown


def undo(rig: Rig, chars: int, new: str = "") -> None:
    """Delete the last characters of the document."""
    document = rig.engine.document(URI)
    assert document is not None
    end = document.text.end
    start = type(end)(end.line, end.column - chars)
    edit = Edit(start, end, new)
    text = document.text.edit(start, end, new)
    rig.engine.change(Document(URI, "python", document.version + 1, text), (edit,))


async def asked(rig: Rig, reply: str = "", trigger: Trigger = Trigger.AUTOMATIC) -> Completion | Skip:
    rig.provider.replies = [f"{reply}\n"] if reply else []
    task = rig.ask(trigger)
    await rig.clock.advance(5)
    return await task


async def test_what_was_dismissed_is_not_offered_there_again_unless_by_hand() -> None:
    rig = Rig()
    rig.engine.dismissed((await offered(rig)).id)

    assert reason_of(await asked(rig)) is Reason.REJECTED
    assert "dismissed or undone" in rig.engine.explain()
    assert text_of(await asked(rig, "first + second", Trigger.MANUAL)) == "first + second"
    await rig.engine.aclose()


@pytest.mark.parametrize(
    ("typed", "answer", "shown"),
    [
        pytest.param("f", "irst + second", None, id="its beginning is typed"),
        pytest.param("t", " + u", " + u", id="something else is typed"),
    ],
)
async def test_typing_on_makes_it_no_other_suggestion(typed: str, answer: str, shown: str | None) -> None:
    rig = Rig()
    rig.engine.dismissed((await offered(rig)).id)
    await rig.type(typed)
    result = await asked(rig, answer)
    assert (text_of(result) if isinstance(result, Completion) else None) == shown
    await rig.engine.aclose()


async def test_it_is_offered_elsewhere() -> None:
    rig = Rig()
    rig.engine.dismissed((await offered(rig)).id)
    await rig.type("1\nz = ")
    assert text_of(await asked(rig, "first + second")) == "first + second"
    await rig.engine.aclose()


@pytest.mark.parametrize("is_reported", [True, False])
async def test_what_was_accepted_and_undone_is_not_offered_again(is_reported: bool) -> None:
    rig = Rig()
    shown = await offered(rig)
    await rig.type(shown.text)
    if is_reported:
        rig.engine.accepted(shown.id)
    undo(rig, len(shown.text))
    assert reason_of(await asked(rig)) is Reason.REJECTED
    await rig.engine.aclose()


async def test_what_was_accepted_and_changed_may_be_offered_again() -> None:
    rig = Rig()
    shown = await offered(rig)
    await rig.type(shown.text)
    undo(rig, 3)
    document = rig.engine.document(URI)
    assert document is not None and str(document.text) == "y = first + sec"
    assert text_of(await asked(rig, "y = first + second")) == "ond"
    await rig.engine.aclose()


@pytest.mark.parametrize("offer_id", ["", "0.0", "7.7", "what", "\ud800"])
async def test_an_unknown_id_changes_nothing(offer_id: str) -> None:
    rig = Rig()
    await offered(rig)
    rig.engine.dismissed(offer_id)
    assert text_of(await asked(rig)) == "first + second"
    await rig.engine.aclose()
