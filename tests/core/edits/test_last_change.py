from __future__ import annotations

from itertools import pairwise

import pytest

from llm_lsp.core.edits.last_change import MAX_EARLIER, LastChange
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text, difference


def document(text: str) -> Document:
    return Document("file:///a.py", "python", 1, Text.of(text))


def after(*texts: str) -> tuple[LastChange, Text]:
    """Return what is known after a document had some texts one after another."""
    last = LastChange()
    for old, new in pairwise(texts):
        last = last.edited(document(old), (difference(Text.of(old), new),), 0.0)
    return last, Text.of(texts[-1])


@pytest.mark.parametrize(
    ("texts", "is_typed"),
    [
        pytest.param(("a", "ab"), True, id="a character"),
        pytest.param(("a", "ab", "a"), False, id="taken back"),
        pytest.param(("a", "ab", "abc", "a"), False, id="two steps taken back at once"),
        pytest.param(("a", "ab", "a", "ac"), True, id="something else instead"),
        pytest.param(("a", "ab", "ba"), True, id="a text of the same size"),
        pytest.param(
            ("a\n" * 400, "a\n" * 200 + "b\n" + "a\n" * 200, "a\n" * 400), False, id="in a long text"
        ),
        pytest.param(("", "x" * 201), False, id="many characters at once"),
        pytest.param(("", "\n" * 9), False, id="many lines at once"),
        pytest.param(("", "if x:\n    pass\n"), True, id="a snippet of two lines"),
    ],
)
def test_what_was_typed(texts: tuple[str, ...], is_typed: bool) -> None:
    last, text = after(*texts)

    assert last.is_typed(text) is is_typed


def insertion(line: int, text: str) -> Edit:
    return Edit(Point(line, 0), Point(line, 0), text)


@pytest.mark.parametrize(
    ("edits", "is_typed"),
    [
        pytest.param((insertion(1, "x"), insertion(9, "y")), False, id="far apart"),
        pytest.param((insertion(1, "x"), insertion(2, "x")), False, id="the same on two lines"),
        pytest.param((insertion(1, "\n"), insertion(2, "    ")), True, id="a line end and the depth"),
        pytest.param((insertion(1, "("), insertion(1, ")")), True, id="on one line"),
    ],
)
def test_several_edits_at_once(edits: tuple[Edit, ...], is_typed: bool) -> None:
    text = "a\n" * 10
    last = LastChange().edited(document(text), edits, 0.0)

    assert last.is_typed(Text.of(text + "b")) is is_typed


def test_only_so_many_texts_are_kept() -> None:
    last, _ = after(*("x" * size for size in range(100)))

    assert len(last.earlier) == MAX_EARLIER
