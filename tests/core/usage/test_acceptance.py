"""What becomes of a suggestion, edit by edit."""

from __future__ import annotations

import pytest

from llm_lsp.core.text.text import Edit, Point
from llm_lsp.core.usage.acceptance import TrackedSuggestion, kept_chars
from llm_lsp.core.usage.records import Fate

AT = Point(3, 4)
OFFER = TrackedSuggestion(AT, "items) + 1")


def insertion(text: str, line: int = 3, column: int = 4) -> Edit:
    return Edit(Point(line, column), Point(line, column), text)


def typed(text: str) -> list[Edit]:
    return [insertion(char, column=4 + idx) for idx, char in enumerate(text)]


@pytest.mark.parametrize(
    ("edits", "fate"),
    [
        pytest.param([insertion("items) + 1")], "accepted", id="all at once"),
        pytest.param([insertion("items")], "partly", id="a word of it"),
        pytest.param([insertion("items"), insertion(") + 1", column=9)], "accepted", id="word by word"),
        pytest.param(typed("items) + 1"), "typed through", id="letter by letter"),
        pytest.param([*typed("ite"), insertion("ms) + 1", column=7)], "accepted", id="begun by hand"),
        pytest.param([], "dismissed", id="looked at only"),
        pytest.param(typed("it"), "dismissed", id="begun, then left"),
        pytest.param(
            [insertion("\n", line=0, column=0), insertion("items) + 1", line=4)], "accepted", id="moved down"
        ),
        pytest.param([insertion("x", line=9)], "dismissed", id="an edit below changes nothing"),
    ],
)
def test_edits_decide_its_fate(edits: list[Edit], fate: Fate) -> None:
    offer: TrackedSuggestion | None = OFFER
    for edit in edits:
        assert offer is not None
        offer = offer.after(edit)

    assert offer is not None
    assert offer.fate == fate


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(insertion("other"), id="another text"),
        pytest.param(insertion("i", column=0), id="before it on its line"),
        pytest.param(Edit(Point(3, 3), AT, ""), id="a deletion"),
        pytest.param(Edit(Point(2, 0), Point(4, 0), ""), id="its line is gone"),
    ],
)
def test_going_another_way_ends_it(edit: Edit) -> None:
    assert OFFER.after(edit) is None


def test_what_an_editor_closes_by_itself_is_no_other_way() -> None:
    offer = TrackedSuggestion(AT, "(items)").after(insertion("()"))

    assert offer is not None
    assert offer.rest == "items)"


def test_several_lines_are_followed_to_their_end() -> None:
    offer = TrackedSuggestion(AT, "x:\n    pass").after(insertion("x:\r\n    pa"))

    assert offer is not None
    assert (offer.at, offer.rest) == (Point(4, 6), "ss")


@pytest.mark.parametrize(
    ("around", "share"),
    [
        pytest.param("def f(a):\n    return sum(a) + 1\n", 1.0, id="still there"),
        pytest.param("def f(a):\n\treturn  sum( a )+1\n", 1.0, id="formatted"),
        pytest.param("def f(a):\n    return sum(b) + 1\n", 0.93, id="one name changed"),
        pytest.param("def f(x):\n    pass\n", 0.0, id="gone"),
        pytest.param("", 0.0, id="all gone"),
    ],
)
def test_what_is_kept_is_counted_by_words(around: str, share: float) -> None:
    accepted = "return sum(a) + 1"

    assert kept_chars(accepted, around) == pytest.approx(share * len(accepted), abs=1)


@pytest.mark.parametrize(("accepted", "kept"), [("});", 3), ("]", 0)])
def test_a_text_of_marks_is_there_or_not(accepted: str, kept: int) -> None:
    assert kept_chars(accepted, "run(() => {});") == kept
