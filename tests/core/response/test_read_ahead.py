"""What is read on for is what stands behind the answer, and nothing of it is lost between."""

from __future__ import annotations

from itertools import pairwise

import pytest

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import Mode
from llm_lsp.core.response.read_ahead import ReadAhead
from llm_lsp.core.response.stops import StopRule
from llm_lsp.core.text.window import Window


def units(window: Window, mode: Mode, answer: str, piece_chars: int, lines: int = 5) -> list[str]:
    """Return the units of an answer that arrives in pieces."""
    streak = ReadAhead(StopRule(window, mode, ("<|end|>",)), lines)
    for start in range(0, len(answer), piece_chars):
        if streak.feed(answer[start : start + piece_chars]):
            break
    else:
        streak.end(Finish.STOP)
    assert answer.startswith(streak.text)
    bounds = (0, *streak.units)
    return [streak.text[start:end] for start, end in pairwise(bounds)]


AT_END = Window("x = 1\n", "y = ", "", "", "python")

CASES = [
    pytest.param(AT_END, Mode.LINE, "2\nz = 3\nw = 4\n", ["2\n", "z = 3\n", "w = 4\n"], id="lines"),
    pytest.param(AT_END, Mode.LINE, "2\n\n\nz = 3\n", ["2\n", "\n\nz = 3\n"], id="blank lines stay"),
    pytest.param(AT_END, Mode.LINE, "2<|end|>\nz = 3\n", ["2"], id="not beyond the model's end"),
    pytest.param(AT_END, Mode.LINE, "2\nz<|end|>w\n", ["2\n", "z"], id="not beyond its end on a later line"),
    pytest.param(
        Window("", "y = ", "", "\nz = 3\n", "python"), Mode.LINE, "2\nz = 3\nw = 4\n", ["2\n", "z = 3\n"],
        id="not beyond the line that is there",
    ),
    pytest.param(
        Window("def f():\n", "    ", "", "", "python"), Mode.BLOCK, "return 1\n\n\ndef g():\n    pass\n",
        ["return 1\n", "\n\ndef g():\n", "    pass\n"], id="blank lines behind a block",
    ),
    pytest.param(
        Window("def f():\n", "    ", "", "\n    return x\n", "python"), Mode.HOLE, "a = 1\n    b = 2\nprint(1)\n",
        ["a = 1\n", "    b = 2\n", "print(1)\n"], id="lines that a hole left out",
    ),
]  # fmt: skip


@pytest.mark.parametrize("piece_chars", [1, 3, 100])
@pytest.mark.parametrize(("window", "mode", "answer", "expected"), CASES)
def test_units_follow_each_other_without_a_gap(
    window: Window, mode: Mode, answer: str, expected: list[str], piece_chars: int
) -> None:
    assert units(window, mode, answer, piece_chars) == expected


def test_only_so_many_lines_are_read_on_for() -> None:
    assert units(AT_END, Mode.LINE, "1\n2\n3\n4\n5\n", 1, lines=2) == ["1\n", "2\n", "3\n"]


class Refusing:
    """An opening that finds the answer to begin otherwise than it was to."""

    refused = True
    finish: Finish | None = None

    def feed(self, piece: str) -> str:
        return ""

    def end(self) -> str:
        return ""


def test_nothing_is_read_on_for_behind_a_refused_answer() -> None:
    streak = ReadAhead(StopRule(AT_END, Mode.LINE, opening=Refusing()))

    assert streak.feed("oth")
    assert streak.text == ""


def phrases(window: Window, mode: Mode, answer: str, piece_chars: int, words: int | None = 2) -> list[str]:
    """Return the parts of each line that may be shown."""
    streak = ReadAhead(StopRule(window, mode), phrase_words=words)
    for start in range(0, len(answer), piece_chars):
        if streak.feed(answer[start : start + piece_chars]):
            break
    else:
        streak.end(Finish.STOP)
    starts = [max(one for one in (0, *streak.units, *streak.phrases) if one < end) for end in streak.phrases]
    return [streak.text[start:end] for start, end in zip(starts, streak.phrases, strict=True)]


PHRASES = [
    pytest.param(AT_END, Mode.LINE, ["a if", "d if"], id="in each line"),
    pytest.param(Window("", "y = f(", ")", "", "python"), Mode.LINE, ["a if"], id="before what closed itself"),
    pytest.param(Window("", "y = ", " + 1", "", "python"), Mode.LINE, [], id="not before the rest of a line"),
    pytest.param(Window("{\n", "  ", "}", "", "c"), Mode.LINE, [], id="not where the rest goes to the next line"),
    pytest.param(Window("if x:\n", "    ", "", "", "python"), Mode.BLOCK, ["d if"], id="not in a block"),
]  # fmt: skip


@pytest.mark.parametrize("piece_chars", [1, 3, 100])
@pytest.mark.parametrize(("window", "mode", "expected"), PHRASES)
def test_a_line_may_be_shown_in_part(
    window: Window, mode: Mode, expected: list[str], piece_chars: int
) -> None:
    assert phrases(window, mode, "a if b\nd if e\n\n", piece_chars) == expected


def test_lines_stay_whole_where_no_number_of_words_is_given() -> None:
    assert phrases(AT_END, Mode.LINE, "a + b\n", 1, words=None) == []


@pytest.mark.parametrize(
    ("answer", "units"),
    [
        pytest.param("a()\nb(\n    c)\nd()\n", ["a()\n", "b(\n    c)\n", "d()\n"], id="an open bracket"),
        pytest.param(
            "a()\nb = 1 + \\\n    2\nd()\n", ["a()\n", "b = 1 + \\\n    2\n", "d()\n"], id="an operator"
        ),
        pytest.param("a()\nb(\n", ["a()\n"], id="nothing behind it"),
    ],
)
def test_no_unit_but_the_first_ends_where_a_line_goes_on(answer: str, units: list[str]) -> None:
    ahead = ReadAhead(StopRule(AT_END, Mode.LINE))
    if not ahead.feed(answer):
        ahead.end(Finish.STOP)
    ends = (0, *ahead.units)

    assert [ahead.text[start:end] for start, end in pairwise(ends)] == units
