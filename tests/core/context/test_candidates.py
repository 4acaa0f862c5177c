"""Snippets are cut from visited places, changes and alike windows."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.candidates import (
    MAX_SIMILAR,
    PIECE_LINES,
    PIECE_SNAP,
    Piece,
    edited,
    query_of,
    signatures,
    similar,
    visited,
)
from llm_lsp.core.context.edit_history import EditBurst, Visit
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text

ORDERS = """\
def order_total(order):
    total = sum(item.price for item in order.items)
    return total + shipping_cost(order.country)
"""


def piece(name: str, text: str) -> Piece:
    return Piece(f"file:///p/{name}", name, "python", text.splitlines(keepends=True))


def document(text: str, name: str = "a.py") -> Document:
    return Document(f"file:///p/{name}", "python", 1, Text.of(text))


def test_the_most_alike_place_comes_first() -> None:
    filler = "x = 1\n" * 60
    less = "def total_of(basket):\n    total = sum(item.price for item in basket.lines)\n"

    found = similar(
        ["def total_of(order):\n", "    total = sum(item.price for item in order.items)\n", "    return \n"],
        Point(2, 11),
        [piece("less.py", filler + less + filler), piece("near.py", filler + ORDERS + filler)],
    )

    assert [one.snippet.path for one in found] == ["near.py", "less.py"]
    assert "shipping_cost" in found[0].snippet.text
    assert found[0].source == "similar"


def steps(*numbers: int) -> list[str]:
    return [f"step_{idx}(value_{idx})\n" for idx in numbers]


def test_a_piece_goes_on_where_the_cursor_is() -> None:
    other = piece("a.py", "".join(steps(*range(100))))

    (found,) = similar([*steps(*range(42, 50)), "\n"], Point(8, 0), [other])

    assert "step_50(" in found.snippet.text
    assert "step_49(" in found.snippet.text
    assert len(found.snippet.text.splitlines()) == PIECE_LINES


def test_a_piece_stays_the_same_while_a_few_lines_are_typed() -> None:
    other = piece("a.py", "".join(steps(*range(100))))

    found = [
        similar([*steps(*range(stop)), "\n"], Point(stop, 0), [other])[0].snippet.text
        for stop in range(40, 40 + 3 * PIECE_SNAP)
    ]

    assert len(set(found)) <= 4


def test_pieces_that_share_but_few_words_are_not_alike() -> None:
    text = "def total_of(order):\n    return convert(order.amount, order.currency, rates_of_today)\n"

    assert similar(ORDERS.splitlines(keepends=True), Point(0, 0), [piece("a.py", text)]) == []


def test_signatures_are_those_of_names_around_the_cursor() -> None:
    text = "def shipping_cost(country):\n    return 1\n\n\ndef tax(country):\n    return 2\n"
    used = piece("lib.py", text)

    found = signatures(query_of([ORDERS], Point(0, 0)), [(used, {"shipping_cost", "tax"})])

    assert [one.snippet.text for one in found] == ["def shipping_cost(country): ...\n"]


def test_each_file_gives_its_best_place() -> None:
    lines = ORDERS.splitlines(keepends=True)

    found = similar(lines, Point(2, 0), [piece("a.py", ORDERS * 40), piece("b.py", ORDERS)])

    assert [one.snippet.path for one in found] == ["a.py", "b.py"]


def test_few_files_are_enough() -> None:
    lines = ORDERS.splitlines(keepends=True)

    found = similar(lines, Point(2, 0), [piece(f"{idx}.py", ORDERS) for idx in range(9)])

    assert len(found) == MAX_SIMILAR


def test_a_place_after_which_nothing_comes_is_passed_over() -> None:
    own = ["register_handler(on_close, priority_high)\n", *["\n"] * 8]
    ends, goes_on = (
        "x = 1\n" * 19 + own[0] + "\n" * n + after for n, after in ((0, ""), (7, "shut_down()\n"))
    )

    found = similar(own, Point(8, 0), [piece("ends.py", ends), piece("goes_on.py", goes_on)])

    assert [one.snippet.path for one in found] == ["goes_on.py"]


HEAD = ["import shipping_rates\n", "from .orders import customer_orders\n"]


@pytest.mark.parametrize(
    ("line", "next_line", "likeness"),
    [
        pytest.param("\n", "import parcel_sizes\n", [0.5], id="nothing is typed, and an import comes next"),
        pytest.param("\n", "parcel_sizes = {}\n", [1.0], id="no import comes next"),
        pytest.param("import \n", "import parcel_sizes\n", [1.0], id="an import is begun"),
    ],
)
def test_an_import_of_another_file_tells_less(line: str, next_line: str, likeness: list[float]) -> None:
    own = [*HEAD, line]

    found = similar(own, Point(2, len(line) - 1), [piece("b.py", "".join([*HEAD, next_line]))])

    assert [one.likeness for one in found] == [pytest.approx(each, abs=0.1) for each in likeness]


def test_an_import_that_counts_half_gives_way_to_what_does_not() -> None:
    imports, code = "".join([*HEAD, "import parcel_sizes\n"]), "".join([*HEAD, "PARCEL = 1\n"])

    (found,) = similar([*HEAD, "\n"], Point(2, 0), [piece("b.py", imports + "\n" * 30 + code)])

    assert "PARCEL" in found.snippet.text


def test_a_place_that_is_not_alike_enough_by_half_is_left_out() -> None:
    other = "".join([HEAD[0], "from .baskets import baskets_of\n", "import parcel_sizes\n"])

    assert similar([*HEAD, "import \n"], Point(2, 7), [piece("b.py", other)])
    assert not similar([*HEAD, "\n"], Point(2, 0), [piece("b.py", other)])


def test_common_words_alone_are_not_alike() -> None:
    text = "".join(f"alpha{i} = beta{i}(gamma{i}, self)\n" for i in range(20))

    assert similar(["for name in names: self.add(name)\n"], Point(0, 0), [piece("a.py", text)]) == []


def test_line_ends_are_lf() -> None:
    lines = ORDERS.splitlines(keepends=True)

    found = similar(lines, Point(2, 0), [piece("a.py", ORDERS.replace("\n", "\r\n"))])

    assert found[0].snippet.text == ORDERS


def test_visits_are_newest_first_and_only_of_documents_that_may_be_used() -> None:
    text = "".join(f"line {idx}\n" for idx in range(100))
    visits = (
        Visit(document(text), 50),
        Visit(document(text, "secret.py"), 3),
        Visit(document(text, "b.py"), 0),
    )

    found = visited(visits, {"file:///p/a.py": "a.py", "file:///p/b.py": "src/b.py"})

    assert [one.snippet.path for one in found] == ["src/b.py", "a.py"]
    assert found[1].snippet.text.startswith("line 34\n")
    assert found[1].snippet.text.endswith("line 65\n")


def test_changes_are_diffs() -> None:
    old, new = document("one\ntwo\nthree"), document("one\n2\nthree")

    (found,) = edited((EditBurst(old, new, 1, 1, 0.0),), {old.uri: "src/a.py"})

    assert (found.snippet.path, found.snippet.text) == ("src/a.py.diff", "-two\n+2\n")
    assert edited((EditBurst(old, new, 1, 1, 0.0),), {}) == []
