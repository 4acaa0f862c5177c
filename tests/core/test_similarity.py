"""Pieces of code are compared by their words and their lines."""

from __future__ import annotations

from itertools import pairwise

import pytest

from llm_lsp.core.similarity import (
    STRIDE_LINES,
    WINDOW_LINES,
    jaccard,
    repeated_share,
    telling_lines,
    windows_of,
    words_of,
)


def test_words_are_names() -> None:
    assert words_of(["def área(radius_2, x):  # 12 über"]) == {"def", "área", "radius_2", "über"}


@pytest.mark.parametrize("n_lines", [0, 1, WINDOW_LINES, WINDOW_LINES + 1, 95])
def test_windows_cover_every_line_and_end_with_the_text(n_lines: int) -> None:
    windows = windows_of([f"line_{idx}\n" for idx in range(n_lines)])

    covered = {line for window in windows for line in range(window.start, window.stop)}
    assert covered == set(range(n_lines))
    assert windows[-1].stop == n_lines
    assert all(later.start - earlier.start <= STRIDE_LINES for earlier, later in pairwise(windows))


def test_a_line_of_a_million_characters_costs_a_bounded_number_of_words() -> None:
    assert len(words_of([" ".join(f"word{idx}" for idx in range(200_000))])) < 100


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param({"abc", "def"}, {"abc", "def"}, 1.0, id="the same"),
        pytest.param({"abc"}, {"def"}, 0.0, id="nothing in common"),
        pytest.param({"abc", "def"}, {"def", "ghi"}, 1 / 3, id="a third"),
        pytest.param(set[str](), set[str](), 0.0, id="nothing at all"),
    ],
)
def test_jaccard(one: set[str], other: set[str], expected: float) -> None:
    assert jaccard(frozenset(one), frozenset(other)) == pytest.approx(expected)


def test_only_telling_lines_count_as_repeated() -> None:
    near = telling_lines(["    total = price * count\n", "}\n"])

    assert repeated_share("total = price * count\n}\n}\n", near) == 1.0
    assert repeated_share("total = price * count\nreturn total + tax\n", near) == 0.5
    assert repeated_share("}\n", near) == 0.0
