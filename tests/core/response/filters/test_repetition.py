"""What is cut as a circle, and what people repeat."""

from __future__ import annotations

import pytest

from llm_lsp.core.response.filters.repetition import MAX_SERIES_LINES, without_repetition


def lines(pattern: str, count: int) -> str:
    return "".join(pattern.format(letter) + "\n" for letter in "abcdefghijklmnopqrst"[:count])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# " + "-" * 70, id="rule"),
        pytest.param("|" + " --- |" * 9, id="table"),
        pytest.param("0, " * 30, id="zeros"),
        pytest.param("\\x00" * 12, id="escapes"),
        pytest.param("NULL, " * 12, id="values"),
        pytest.param("0,\n" * 8, id="lines-of-numbers"),
        pytest.param("    0x00,\n" * 8, id="lines-of-hex-numbers"),
        pytest.param("NULL,\n" * 8, id="lines-of-values"),
        pytest.param("a()\na()\n", id="twice"),
        pytest.param(lines("check({}, 1)", MAX_SERIES_LINES), id="as-many-alike-lines-as-people-write"),
        pytest.param(lines("self.{0} = {0}", 20), id="assignments-that-share-no-two-words"),
        pytest.param(lines("import {}", 20), id="items-that-share-one-word"),
        pytest.param(lines("check({}, 1)", 12) + "done()\n", id="a-series-that-ends"),
    ],
)
def test_what_people_repeat_is_left_alone(text: str) -> None:
    assert without_repetition(text, "").rstrip() == text.rstrip()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("a()\n" * 5, "a()", id="lines"),
        pytest.param("a()\nb()\n" * 4 + "a()\n", "a()\nb()", id="groups"),
        pytest.param("and then " * 9, "and then ", id="words"),
        pytest.param("null, " * 200, "null, ", id="values-without-end"),
        pytest.param(lines("rm -rf /tmp/{}", 15), lines("rm -rf /tmp/{}", 3).rstrip(), id="alike-lines"),
        pytest.param(
            lines("def {}():\n    return 1\n", 15),
            lines("def {}():\n    return 1\n", 3)[:-1],
            id="alike-groups",
        ),
        pytest.param("0,\n" * 40, "0,", id="numbers-without-end"),
    ],
)
def test_what_goes_on_for_ever_is_cut_to_its_first_ones(text: str, kept: str) -> None:
    assert without_repetition(text, "") == kept
