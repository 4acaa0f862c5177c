"""The text never drifts from a plain string: random edits, every line end, every encoding."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_lsp.core.text.text import (
    BLOCK_LINES,
    MAX_WORD_CHARS,
    Edit,
    Encoding,
    Point,
    Text,
    advance,
    difference,
    to_point,
    to_position,
    word_start,
)

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
PIECES = [
    "a",
    "bc",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\f",
    "\x0b",
    "\x85",
    "\u2028",
    "\u2029",
    "é",
    "漢",
    "😀",
    "\ud83d",
    "\ude00",
]

texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
points = st.builds(Point, st.integers(0, 12), st.integers(0, 12))
edits = st.lists(st.tuples(points, points, texts), max_size=8)


class Plain:
    """The reference: one string, and line starts found by the rule's own words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = re.split(r"\r\n|\n|\r", text)
        self.starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]

    def offset(self, point: Point) -> int:
        if point.line >= len(self.lines):
            return len(self.text)
        return self.starts[point.line] + min(point.column, len(self.lines[point.line]))

    def edited(self, start: Point, end: Point, new: str) -> Plain:
        first, last = sorted((self.offset(start), self.offset(end)))
        return Plain(self.text[:first] + new + self.text[last:])


def check(text: Text, plain: Plain) -> None:
    assert str(text) == plain.text
    assert text.size == len(plain.text)
    assert [text.line(number) for number in range(text.line_count)] == plain.lines
    assert "".join(text.line(n) + text.line_end(n) for n in range(text.line_count)) == plain.text
    assert "".join(text.lines(0, text.line_count)) == plain.text
    assert all(text.blocks)


def units(text: str, encoding: Encoding) -> int:
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    return sum(len(character.encode(codec, "surrogatepass")) // width for character in text)


@given(texts, edits)
@settings(max_examples=400)
def test_a_text_never_drifts_from_a_plain_string(start: str, changes: list[tuple[Point, Point, str]]) -> None:
    text, plain = Text.of(start), Plain(start)
    check(text, plain)
    for first, last, new in changes:
        text, plain = text.edit(first, last, new), plain.edited(first, last, new)
        check(text, plain)


@given(
    st.integers(0, 3 * BLOCK_LINES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 600), texts), max_size=6),
)
@settings(max_examples=60)
def test_edits_across_blocks_do_not_drift(n_lines: int, changes: list[tuple[int, int, str]]) -> None:
    start = "line\r\n" * n_lines
    text, plain = Text.of(start), Plain(start)
    for line, length, new in changes:
        first, last = Point(line, 1), Point(line + length, 0)
        grown = new * (length + 1)
        text, plain = text.edit(first, last, grown), plain.edited(first, last, grown)
    check(text, plain)


@given(texts, points, points)
@settings(max_examples=200)
def test_a_slice_is_the_text_between_two_places(start: str, first: Point, last: Point) -> None:
    plain = Plain(start)
    assert Text.of(start).slice(first, last) == start[plain.offset(first) : plain.offset(last)]


@given(texts, st.integers(0, 12), st.integers(0, 40), st.sampled_from(ENCODINGS))
@settings(max_examples=400)
def test_a_position_is_the_most_characters_that_fit(
    start: str, line: int, character: int, encoding: Encoding
) -> None:
    text, plain = Text.of(start), Plain(start)
    point = to_point(text, line, character, encoding)
    if line >= len(plain.lines):
        assert point == text.end
        return
    content = plain.lines[line]
    fitting = [n for n in range(len(content) + 1) if units(content[:n], encoding) <= character]
    assert point == Point(line, fitting[-1])


@given(texts, points, st.sampled_from(ENCODINGS))
@settings(max_examples=200)
def test_a_place_comes_back_from_its_position(start: str, point: Point, encoding: Encoding) -> None:
    text = Text.of(start)
    line, character = to_position(text, point, encoding)
    assert to_point(text, line, character, encoding) == text.clamp(point)


@given(texts, texts)
@settings(max_examples=400)
def test_a_difference_makes_the_new_text(old: str, new: str) -> None:
    text = Text.of(old)
    edit = difference(text, new)
    assert str(text.edit(edit.start, edit.end, edit.text)) == new


def test_a_difference_is_no_more_than_what_changed() -> None:
    edit = difference(Text.of("one\ntwo\nthree\n"), "one\ntwo!\nthree\n")
    assert edit == Edit(Point(1, 3), Point(1, 3), "!")


@given(texts, points, texts)
@settings(max_examples=200)
def test_an_insertion_ends_where_what_follows_it_begins(start: str, point: Point, new: str) -> None:
    text = Text.of(start + "end")
    point = text.clamp(point)
    edited = text.edit(point, point, f"({new})")
    assert edited.slice(advance(point, f"({new})"), edited.end) == text.slice(point, text.end)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("column", [0, 1, 4095, 4096, 4097, 9000, 19_999, 20_000])
def test_a_long_line_with_wide_characters_converts_both_ways(encoding: Encoding, column: int) -> None:
    text = Text.of("é😀" * 10_000 + "\n")
    line, character = to_position(text, Point(0, column), encoding)
    assert character == units(text.line(0)[:column], encoding)
    assert to_point(text, line, character, encoding) == Point(0, column)


@pytest.mark.parametrize(
    ("before", "start", "end", "new", "after"),
    [
        pytest.param("a\rb", (1, 0), (1, 0), "\n", ["a", "b"], id="LF after CR joins them"),
        pytest.param("a\rb\nc", (1, 0), (1, 1), "", ["a", "c"], id="deleting between CR and LF joins them"),
        pytest.param("a\nb", (0, 1), (0, 1), "\r", ["a", "b"], id="CR before LF joins them"),
        pytest.param("a\r\nb", (0, 1), (0, 1), "\n", ["a", "", "b"], id="LF before CRLF is one more line"),
        pytest.param("a\r\nb", (0, 9), (1, 0), "", ["ab"], id="CRLF goes as one"),
        pytest.param("a\x0cb\nc\n", (1, 0), (1, 1), "X", ["a\x0cb", "X", ""], id="a form feed ends no line"),
        pytest.param("abc", (0, 0), (0, 99), "", [""], id="past the end of the last line"),
        pytest.param("abc", (7, 0), (9, 9), "d", ["abcd"], id="past the last line"),
        pytest.param("", (0, 0), (0, 0), "x\n", ["x", ""], id="empty text"),
        pytest.param("abc", (0, 2), (0, 1), "", ["ac"], id="reversed range"),
    ],
)
def test_an_edit_gives_these_lines(
    before: str, start: tuple[int, int], end: tuple[int, int], new: str, after: list[str]
) -> None:
    text = Text.of(before).edit(Point(*start), Point(*end), new)
    assert [text.line(number) for number in range(text.line_count)] == after


def test_an_edit_shares_all_blocks_but_one() -> None:
    text = Text.of("some line of code\n" * 125_000)
    edited = text.edit(Point(60_000, 4), Point(60_000, 4), "x")
    shared = {id(block) for block in text.blocks} & {id(block) for block in edited.blocks}
    assert len(shared) == len(text.blocks) - 1
    assert str(text).count("x") == 0


def test_typing_lines_keeps_blocks_small() -> None:
    text = Text.of("")
    for _ in range(5 * BLOCK_LINES):
        text = text.edit(text.end, text.end, "line\n")
    assert max(len(block) for block in text.blocks) <= 2 * BLOCK_LINES
    assert text.line_count == 5 * BLOCK_LINES + 1


def test_lines_beyond_the_text_are_cut() -> None:
    assert Text.of("a\nb").lines(-5, 99) == ["a\n", "b"]
    assert Text.of("a\nb").lines(1, 1) == []
    assert Text.of("a\nb").lines(5, 9) == []


@pytest.mark.parametrize("number", [-1, 2])
def test_a_line_that_is_not_there_is_an_index_error(number: int) -> None:
    with pytest.raises(IndexError):
        Text.of("a\nb").line(number)


def test_a_repr_holds_no_buffer_text() -> None:
    assert repr(Text.of("secret\n")) == "Text(2 lines, 7 code points)"


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("self.check_sum", 10, 5),
        ("self.check_sum", 5, 5),
        ("价格 = 1", 2, 0),
        ("abc", 9, 0),
        ("", 0, 0),
        ("a" * 1000, 1000, 1000 - MAX_WORD_CHARS),
    ],
)
def test_a_word_begins_where_its_first_character_stands(line: str, column: int, expected: int) -> None:
    assert word_start(line, column) == expected
