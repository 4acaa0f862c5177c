"""How much of a line is shown at once."""

from __future__ import annotations

import itertools

import pytest

from llm_lsp.core.response.suggestion_length import (
    SMALL_START_RUN,
    PhraseFinder,
    SuggestionLength,
    count_words,
)
from llm_lsp.core.text.window import Window

AT_END = Window("x = 1\n", "y = ", "", "", "python")

PHRASES = [
    pytest.param("a + b * c - d\n", 2, ["a + b", " * c"], id="before a blank each so many words"),
    pytest.param("foo(bar, baz) + 1\n", 3, ["foo(bar,"], id="a bracket and a comma are words"),
    pytest.param("foo(bar).baz\n", 2, [], id="no blank, no phrase"),
    pytest.param("a + b", 3, [], id="the last word may still grow"),
    pytest.param("a if b\nc if d\n", 2, ["a if"], id="the first line only"),
    pytest.param("\n\nc if d else e\n", 2, ["\n\nc if", " d else"], id="the first line with text"),
    pytest.param("返回 结果 列表 之和\n", 2, ["返回 结果"], id="words in chinese"),
]


@pytest.mark.parametrize("piece_chars", [1, 2, 1000])
@pytest.mark.parametrize(("text", "words", "expected"), PHRASES)
def test_a_line_is_cut_into_phrases(text: str, words: int, expected: list[str], piece_chars: int) -> None:
    assert phrases(text, words, AT_END, piece_chars) == expected


WHOLE = [
    pytest.param("y = ", "amount <= limit and other\n", ["amount <= limit"], id="not after an operator"),
    pytest.param("y = ", "a and b if c\n", ["a and b"], id="nor after one that is a word"),
    pytest.param("y = ", "f( a, b )\n", ["f( a,"], id="nor after an opening bracket"),
    pytest.param(
        "y = ", 'f("not a number at all") if x else z\n', ['f("not a number at all")'], id="nor in a string"
    ),
    pytest.param('raise E("not', ' a number") from e or z\n', [' a number")'], id="nor in the user's string"),
    pytest.param(
        "y = ", 'f("it is \\" so", a) if b\n', ['f("it is \\" so",'], id="nor after a quote that is escaped"
    ),
    pytest.param("y = ", "don't stop here now\n", ["don't"], id="an apostrophe begins no string"),
    pytest.param("# ", "it is - or may be\n", ["it is"], id="a comment is text"),
    pytest.param('"""', "Return a - b of it.\n", ["Return a"], id="so is a docstring"),
]


@pytest.mark.parametrize(("line_prefix", "text", "expected"), WHOLE)
def test_no_part_of_a_line_looks_broken(line_prefix: str, text: str, expected: list[str]) -> None:
    window = Window("x = 1\n", line_prefix, "", "", "python")

    assert phrases(text, 2, window)[:1] == expected


NEIGHBOURS = [
    pytest.param(Window("", "y = ", "", "\ny = a + b + c\n"), ["a + b + d"], id="below"),
    pytest.param(Window("y = a + b + c\n", "y = ", "", ""), ["a + b + d"], id="above"),
    pytest.param(Window("", "y = ", "", "\nz = 1\n"), ["a + b"], id="another line"),
]


@pytest.mark.parametrize(("window", "expected"), NEIGHBOURS)
def test_what_may_turn_out_to_be_a_line_that_is_there_waits(window: Window, expected: list[str]) -> None:
    assert phrases("a + b + d + e\n", 3, window)[:1] == expected


def phrases(text: str, words: int, window: Window, piece_chars: int = 1000) -> list[str]:
    finder = PhraseFinder(words, window)
    ends = [0]
    for size in (*range(piece_chars, len(text), piece_chars), len(text)):
        ends += finder.find(text[:size])
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def test_words_are_counted_once_they_are_whole() -> None:
    assert [count_words("foo + bar", end) for end in (2, 3, 5, 9)] == [0, 1, 2, 3]


def test_a_model_that_is_often_wrong_shows_less() -> None:
    length = SuggestionLength()
    for _ in range(30):
        length = length.seen(2, missed=True)

    assert length.phrase_words == 1


@pytest.mark.parametrize(
    ("length", "words"),
    [
        pytest.param(SuggestionLength(), None, id="unknown"),
        pytest.param(SuggestionLength(SMALL_START_RUN), 2, id="small and unknown"),
        pytest.param(SuggestionLength(7.9), 2, id="below eight words in a row"),
        pytest.param(SuggestionLength(8.0), None, id="eight words in a row"),
        pytest.param(SuggestionLength(2.0).seen(400, missed=False), None, id="right for long, before a mistake"),
        pytest.param(SuggestionLength(100.0).seen(0, missed=True), None, id="one mistake after many right words"),
    ],
)  # fmt: skip
def test_a_model_that_is_right_for_long_shows_whole_lines(
    length: SuggestionLength, words: int | None
) -> None:
    assert length.phrase_words == words
