"""A place is told by the text around it."""

from __future__ import annotations

import pytest

from llm_lsp.core.text.cursor_context import (
    continuations,
    followed,
    typed_since,
)
from tests.core.text.places import place

TYPED = [
    pytest.param("x = ‸", "compute(a)", "x = ‸", "", id="nothing"),
    pytest.param("x = ‸", "compute(a)", "x = com‸", "com", id="along-the-text"),
    pytest.param("x = ‸", "", "x = com‸", "com", id="nothing-has-come-yet"),
    pytest.param("x = ‸", "co", "x = compute‸", "compute", id="further-than-the-text"),
    pytest.param("x = ‸", "compute(a)", "x = other‸", None, id="something-else"),
    pytest.param("x = com‸", "pute", "x = co‸", None, id="deleted-behind-the-start"),
    pytest.param("x = ‸", "f(1)", "# new\n\nx = f‸", None, id="a-new-neighbour-line"),
    pytest.param("a\nb\nc\nd\ne\nx = ‸", "f(1)", "new\na\nb\nc\nd\ne\nx = f‸", "f", id="an-edit-far-above"),
    pytest.param("x = ‸\ny", "f(1)", "x = f‸\nz", None, id="another-line-below"),
    pytest.param("x = foo‸", "(a)", "x = foo(‸)", "(", id="an-auto-closed-bracket"),
    pytest.param("x = foo‸", "(a)", "x = foo(‸ + 1", None, id="another-rest"),
    pytest.param("def f():‸", "\n    return 1\n", "def f():\n    ‸", "\n    ", id="into-the-next-line"),
    pytest.param(
        "def f():‸",
        "\n    a = 1\n    b = 2",
        "def f():\n    a = 1\n    b‸",
        "\n    a = 1\n    b",
        id="lines-on",
    ),
    pytest.param("def f():‸", "\n    return 1", "def f():\n    raise‸", None, id="astray-in-the-next-line"),
    pytest.param("def f():‸", "\n\n    x", "def f():\n\n    ‸", "\n\n    ", id="over-a-blank-line"),
]


@pytest.mark.parametrize(("base", "text", "now", "expected"), TYPED)
def test_what_was_typed_since(base: str, text: str, now: str, expected: str | None) -> None:
    assert typed_since(place(base), text, place(now)) == expected


def test_another_document_never_agrees() -> None:
    assert typed_since(place("x = ‸"), "1", place("x = ‸", uri="file:///b.py")) is None


def test_a_place_is_told_by_a_bounded_number_of_lines() -> None:
    cursor = place("\n".join(f"line {n}" for n in range(9000)) + "\n‸\n" + "\n" * 9000 + "far")

    assert cursor.context_key.above == ("line 8995", "line 8996", "line 8997", "line 8998", "line 8999")
    assert cursor.context_key.below == ""


def test_a_very_long_line_is_told_by_its_end() -> None:
    base, now = place("x" * 5000 + "‸"), place("x" * 5000 + "y‸")

    assert len(base.line_prefix) < 4096
    assert typed_since(base, "yz", now) == "y"


def test_continuations_are_the_starts_of_the_lines_to_come() -> None:
    base = place("above\nx = ‸")

    places = [
        (cursor.context_key.above, cursor.line_prefix, start)
        for cursor, start in continuations(base, "[\n\n]\n")
    ]

    assert places == [
        (("above",), "x = ", 0),
        (("above", "x = ["), "", 2),
        (("above", "x = [", ""), "", 3),
        (("above", "x = [", "]"), "", 5),
    ]


FOLLOWED = [
    pytest.param("x = ‸", "compute(a)", "x = com‸", (3, False), id="along-the-text"),
    pytest.param("x = ‸", "compute(a)", "x = compute(a) + 1‸", (10, False), id="beyond-the-text"),
    pytest.param("x = ‸", "compute(a)", "x = combine‸", (3, True), id="then-something-else"),
    pytest.param("x = ‸", "compute(a)", "x = 1‸", (0, True), id="something-else-at-once"),
    pytest.param("f():‸", "\n    a = 1", "f():\n    b‸", (5, True), id="astray-in-the-next-line"),
    pytest.param("f():‸", "\n    a = 1", "f():\n    a =‸", (8, False), id="along-the-next-line"),
    pytest.param("x = ‸", "compute(a)", "x ‸", None, id="deleted-behind-the-start"),
    pytest.param("x = ‸\ny", "f(1)", "x = f‸\nz", None, id="another-line-below"),
    pytest.param("a\nx = ‸", "f(1)", "b\ny = f‸", None, id="another-place"),
]


@pytest.mark.parametrize(("base", "text", "now", "expected"), FOLLOWED)
def test_how_far_a_text_was_followed(
    base: str, text: str, now: str, expected: tuple[int, bool] | None
) -> None:
    assert followed(place(base), text, place(now)) == expected
