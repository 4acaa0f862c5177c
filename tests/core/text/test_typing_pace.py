"""Waiting for the next key."""

from __future__ import annotations

import pytest

from llm_lsp.core.text.typing_pace import MAX_DELAY_S, MIN_DELAY_S, TypingPace, delay_s, ready_at


def typing(gap_s: float, keys: int = 60) -> TypingPace:
    pace = TypingPace()
    for key in range(keys):
        pace = pace.edited(key * gap_s, deleting=False)
    return pace


@pytest.mark.parametrize(
    ("pace", "line_prefix"),
    [
        pytest.param(TypingPace(), "x = fo", id="nothing-typed-yet"),
        pytest.param(typing(0.1).edited(99.0, deleting=False), "x = fo", id="first-key-after-a-pause"),
        pytest.param(typing(0.1), "    ", id="line-start"),
        pytest.param(typing(0.1), "print(", id="after-an-opener"),
    ],
)
def test_some_places_wait_for_nothing(pace: TypingPace, line_prefix: str) -> None:
    assert ready_at(pace, line_prefix, "") == float("-inf")


def test_inside_a_word_the_wait_counts_from_the_last_edit() -> None:
    pace = typing(0.1)

    assert ready_at(pace, "x = fo", "") == pytest.approx(pace.last_edit_at + delay_s(pace, "x = fo", ""))


@pytest.mark.parametrize("gap_s", [0.01, 0.1, 0.2, 0.39])
def test_the_delay_stays_within_its_bounds(gap_s: float) -> None:
    assert MIN_DELAY_S <= delay_s(typing(gap_s), "x = fo", "bar") <= MAX_DELAY_S


def test_a_word_end_at_the_line_end_waits_less_than_the_middle_of_a_word() -> None:
    assert delay_s(typing(0.2), "x = foo ", "") < delay_s(typing(0.2), "x = fo", "bar")


def test_deletions_in_a_row_are_counted_and_end_with_typing() -> None:
    pace = TypingPace().edited(1, deleting=True).edited(1.1, deleting=True)

    assert pace.deletions == 2
    assert pace.edited(1.2, deleting=False).deletions == 0
