from __future__ import annotations

import pytest

from llm_lsp.core.generation import Finish, Generation, Usage

BELIEVED = [
    pytest.param(Usage(100, 10, 90, 5, 8), Usage(100, 10, 90, 5, 8), id="all of it"),
    pytest.param(Usage(), Usage(), id="nothing"),
    pytest.param(Usage(1001, 10), Usage(None, 10), id="more read than was sent"),
    pytest.param(Usage(100, 129), Usage(100), id="more written than was allowed"),
    pytest.param(Usage(100, 10, 101), Usage(100, 10), id="more cached than was read"),
    pytest.param(Usage(100, 10, 60, 60), Usage(100, 10), id="more cached and taken in than was read"),
    pytest.param(Usage(100, 10, None, None, 11), Usage(100, 10), id="more thought than was written"),
    pytest.param(Usage(None, None, 1001, None, 129), Usage(), id="parts of unknown counts"),
]


@pytest.mark.parametrize(("told", "believed"), BELIEVED)
def test_a_count_that_cannot_be_is_not_believed(told: Usage, believed: Usage) -> None:
    assert told.within(1000, 128) == believed


SAID = Generation(1, "return x + 1\ny = 2\n", Finish.CUT, (13, 19), phrases=(10,))


@pytest.mark.parametrize(
    ("text", "typed", "end", "whole", "units", "phrases"),
    [
        pytest.param("x +", 0, 10, "x + 1\ny = 2\n", (6, 12), (3,), id="a part of a line, without its echo"),
        pytest.param("x + 1", 0, 13, "x + 1\ny = 2\n", (6, 12), (), id="a line without its echo"),
        pytest.param(
            "    return x + 1", 0, 13, "    return x + 1\ny = 2\n", (17, 23), (), id="an indented line"
        ),
        pytest.param("X + 1", 7, 13, "return X + 1\ny = 2\n", (13, 19), (), id="behind what was typed"),
    ],
)
def test_a_generation_as_it_is_shown_goes_on_as_it_was_written(
    text: str, typed: int, end: int, whole: str, units: tuple[int, ...], phrases: tuple[int, ...]
) -> None:
    shown = SAID.shown_as(text, typed, end)

    assert (shown.text, shown.units, shown.phrases) == (whole, units, phrases)


def test_a_generation_that_is_shown_as_it_was_written_stays_itself() -> None:
    assert SAID.shown_as("return x + 1", 0, 13) is SAID
