from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llm_lsp.core.edits.dismissals import PAUSE_S as DISMISSED_S
from llm_lsp.core.edits.next_edit import OfferedEdit
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.engine.edits.next_edits import SETTLED_S
from tests.doubles import settle
from tests.engine.edits.rig import RENAMED, SOURCE, EditRig, changed
from tests.engine.rig import URI


@pytest.fixture
async def rig() -> AsyncIterator[EditRig]:
    rig = EditRig()
    yield rig
    await rig.engine.aclose()


@pytest.fixture
async def renamed(rig: EditRig) -> EditRig:
    """After the parameter `cart` was renamed to `basket` in its definition."""
    await rig.write(SOURCE)
    await rig.become(RENAMED)
    return rig


async def test_a_renamed_parameter_is_followed_by_its_use(renamed: EditRig) -> None:
    offer = await renamed.offered()

    assert changed(offer) == "    price = sum(basket)"
    assert offer.document is renamed.document


async def test_an_accepted_edit_is_followed_by_the_next(rig: EditRig) -> None:
    await rig.write(SOURCE.replace("price * rate", "price * rate * len(cart)"))
    await rig.become(rig.text.replace("(cart, rate)", "(basket, rate)"))

    first = await rig.offered()
    await rig.apply(first)
    second = await rig.offered()
    await rig.apply(second)

    assert (changed(first), changed(second)) == (
        "    price = sum(basket)",
        "    return price * rate * len(basket)",
    )
    assert await rig.reason() in (Reason.NOTHING_FOLLOWS, Reason.UNCERTAIN)


async def test_nothing_is_offered_before_the_first_edit(rig: EditRig) -> None:
    await rig.write(SOURCE)

    assert await rig.reason() is Reason.NOT_EDITED


async def test_the_same_question_has_the_same_answer(renamed: EditRig) -> None:
    assert (await renamed.offered()).id == (await renamed.offered()).id


# --- while the user types


async def test_a_name_is_waited_for_until_it_is_typed(rig: EditRig) -> None:
    await rig.write(SOURCE)
    await rig.become(RENAMED, pause_s=0.0)
    rig.point = Point(0, len("def total(basket"))

    task = rig.ask()
    await rig.clock.advance(SETTLED_S / 2)
    assert not task.done()
    await rig.clock.advance(SETTLED_S)

    assert isinstance(await task, OfferedEdit)


async def test_typing_on_ends_the_wait_with_nothing(rig: EditRig) -> None:
    await rig.write(SOURCE)
    await rig.become(SOURCE.replace("(cart, rate)", "(bas, rate)"), pause_s=0.0)
    rig.point = Point(0, len("def total(bas"))
    task = rig.ask()
    await settle()

    await rig.become(RENAMED)

    assert await task == Skip(Reason.SUPERSEDED)


async def test_a_request_that_may_not_wait_is_told_that_the_line_is_being_typed(rig: EditRig) -> None:
    await rig.write(SOURCE)
    await rig.become(RENAMED, pause_s=0.0)
    rig.point = Point(0, len("def total(basket"))

    assert await rig.ask(may_wait=False) == Skip(Reason.STILL_TYPING)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(["", "b", "ba", "bask"], id="deleted and typed"),
        pytest.param(["bcart", "bacart", "baskecart"], id="typed before the old name"),
        pytest.param(["car", "ca", "c", ""], id="deleted from the end"),
        pytest.param(["art", "rt"], id="deleted from the start"),
        pytest.param(["b", ""], id="typed and deleted again"),
    ],
)
async def test_an_edit_stays_while_its_user_types_it(renamed: EditRig, steps: list[str]) -> None:
    first = await renamed.offered()
    for step in steps:
        await renamed.become(RENAMED.replace("sum(cart)", f"sum({step})"), pause_s=0.1)
        offer = await renamed.offered()
        assert (offer.id, changed(offer)) == (first.id, "    price = sum(basket)")
        assert renamed.document.text.slice(offer.edit.start, offer.edit.end) == step


@pytest.mark.parametrize("written", ["bx", "trolley", "cart.items", "cart\n"])
async def test_an_edit_is_gone_for_good_if_something_else_is_written(renamed: EditRig, written: str) -> None:
    await renamed.offered()
    await renamed.become(RENAMED.replace("sum(cart)", f"sum({written})"))
    assert isinstance(await renamed.ask(), Skip)

    await renamed.become(renamed.text + "# more\n")
    await renamed.become(renamed.text.replace("# more\n", ""))

    assert isinstance(await renamed.ask(), Skip)


async def test_an_edit_that_was_typed_to_its_end_is_followed_by_the_next(rig: EditRig) -> None:
    await rig.write(SOURCE.replace("price * rate", "price * rate * len(cart)"))
    await rig.become(rig.text.replace("(cart, rate)", "(basket, rate)"))
    await rig.offered()

    await rig.become(rig.text.replace("sum(cart)", "sum(basket)"))

    assert changed(await rig.offered()) == "    return price * rate * len(basket)"


async def test_an_answer_for_an_older_version_is_withheld(renamed: EditRig) -> None:
    old = renamed.document
    await renamed.become(renamed.text + "\n")

    assert await renamed.ask(document=old) == Skip(Reason.SUPERSEDED)


async def test_a_document_that_was_closed_while_it_was_waited_for_gets_nothing(rig: EditRig) -> None:
    await rig.write(SOURCE)
    await rig.become(RENAMED, pause_s=0.0)
    rig.point = Point(0, len("def total(basket"))
    task = rig.ask()
    await settle()

    rig.engine.close(URI)

    assert isinstance(await task, Skip)


async def test_a_cancelled_request_leaves_the_next_one_its_answer(renamed: EditRig) -> None:
    task = renamed.ask()
    await asyncio.sleep(0)
    task.cancel()

    assert isinstance(await renamed.offered(), OfferedEdit)


# --- dismissed


async def test_a_dismissed_edit_does_not_come_back(renamed: EditRig) -> None:
    offer = await renamed.offered()
    renamed.engine.dismissed(offer.id)
    assert await renamed.reason() is Reason.DISMISSED

    await renamed.clock.advance(DISMISSED_S + 1)

    assert await renamed.reason() is Reason.DISMISSED


async def test_each_dismissal_is_followed_by_a_longer_pause(rig: EditRig) -> None:
    names = ("alpha", "beta", "gamma", "delta")
    await rig.write("".join(f"def {name}(cart):\n    return {name}_of(cart)\n\n\n" for name in names))
    for pauses, name in enumerate(names):
        await rig.become(rig.text.replace(f"{name}(cart)", f"{name}(basket_{name})", 1))
        offer = await rig.offered()
        rig.engine.dismissed(offer.id)
        await rig.clock.advance(DISMISSED_S * 2**pauses - 1)
        assert await rig.reason() is Reason.DISMISSED
        await rig.clock.advance(2)


async def test_an_unknown_id_is_no_error(renamed: EditRig) -> None:
    offer = await renamed.offered()

    renamed.engine.dismissed("edit-99")
    renamed.engine.accepted("edit-99")
    renamed.engine.accepted(offer.id)
    renamed.engine.accepted(offer.id)


# --- when nothing is offered


async def test_nothing_is_offered_after_a_paste(rig: EditRig) -> None:
    await rig.write(SOURCE)
    await rig.edit(Edit(Point(7, 0), Point(7, 0), "x = 1\n" * 9))

    assert await rig.reason() is Reason.NOT_TYPED


async def test_nothing_is_offered_after_an_undo(renamed: EditRig) -> None:
    await renamed.become(SOURCE)

    assert await renamed.reason() is Reason.NOT_TYPED


async def test_nothing_is_offered_after_edits_at_several_places(rig: EditRig) -> None:
    await rig.write(SOURCE)
    places = [(0, 16), (2, 19), (5, 10)]
    await rig.edit(*(Edit(Point(line, at), Point(line, at), "x") for line, at in places))

    assert await rig.reason() is Reason.NOT_TYPED


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"edits": {"enabled": False}}, Reason.EDITS_OFF, id="switched off"),
        pytest.param({"enabled": False}, Reason.DISABLED, id="all is off"),
        pytest.param({"privacy": {"exclude": ["*.py"]}}, Reason.EXCLUDED, id="excluded"),
        pytest.param({"completion": {"languages": ["go"]}}, Reason.LANGUAGE, id="another language"),
    ],
)
async def test_nothing_is_offered_if_the_settings_forbid_it(
    settings: dict[str, object], reason: Reason
) -> None:
    rig = EditRig(settings)
    await rig.write(SOURCE)
    await rig.become(RENAMED)

    assert await rig.reason() is reason
    await rig.engine.aclose()


async def test_nothing_is_offered_while_snoozed(renamed: EditRig) -> None:
    renamed.engine.snooze(1)

    assert isinstance(await renamed.ask(), Skip)


async def test_nothing_is_offered_in_a_file_that_its_project_ignores(rig: EditRig, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("made.py\n")
    uri = (tmp_path / "made.py").as_uri()
    rig.engine.set_folders((tmp_path.as_uri(),))
    await rig.write(SOURCE, uri)
    old = rig.engine.document(uri)
    assert old is not None
    document = Document(uri, "python", 2, Text.of(RENAMED))
    rig.engine.change(document, (Edit(Point(0, 10), Point(0, 14), "basket"),))
    await rig.clock.advance(2)

    assert await rig.ask(document=document) == Skip(Reason.EXCLUDED, "its project's ignore files exclude it")


SECRET = 'TOKEN = "ghp_' + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2" + '"'


async def test_nothing_is_offered_near_a_secret(rig: EditRig) -> None:
    await rig.write(SOURCE.replace("    price", f"    {SECRET}\n    price"))
    await rig.become(rig.text.replace("(cart, rate)", "(basket, rate)"))

    assert await rig.reason() is Reason.SECRET


# --- what is recorded


async def test_explain_names_the_reason(rig: EditRig) -> None:
    await rig.write(SOURCE)
    await rig.edit(Edit(Point(7, 0), Point(7, 0), "x = 1\n" * 9))
    await rig.ask()

    words = rig.engine.explain()

    assert words.startswith("While you typed in python, nothing was shown")
    assert Reason.NOT_TYPED.value in words


async def test_explain_says_what_was_shown(renamed: EditRig) -> None:
    await renamed.offered()

    assert "a next edit of 6 characters was shown" in renamed.engine.explain()


async def test_no_model_is_asked(renamed: EditRig) -> None:
    await renamed.offered()

    assert renamed.rig.provider.streams == []


async def test_all_places_of_the_same_change_are_known(rig: EditRig) -> None:
    await rig.write(SOURCE.replace("price * rate", "price * rate * len(cart)"))
    await rig.become(rig.text.replace("(cart, rate)", "(basket, rate)"))

    offer = await rig.offered()

    assert [edit.start.line for edit in offer.places] == [1, 2]
    assert offer.places[0] == offer.edit
