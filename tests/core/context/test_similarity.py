"""Places are compared line by line, by the words of their lines."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.similarity import CursorLines, LineIndex, repeated_share, telling_lines, words_of
from llm_lsp.core.text.text import Point

BODY = [
    "    request = self.build(method, url)\n",
    "    response = self.send(request)\n",
    "    return response.json()\n",
]


def test_words_are_names() -> None:
    assert words_of(["def área(radius_2, x):  # 12 über"]) == {"def", "área", "radius_2", "über"}


def test_a_line_of_a_million_characters_costs_a_bounded_number_of_words() -> None:
    assert len(words_of([" ".join(f"word{idx}" for idx in range(200_000))])) < 100


def test_an_index_says_where_each_word_stands() -> None:
    index = LineIndex.of(BODY)

    assert index.lines_of["response"] == [1, 2]
    assert index.n_words == [5, 4, 3]
    assert index.words == words_of(BODY)


def test_the_same_lines_are_wholly_alike_where_the_cursor_would_be() -> None:
    other = LineIndex.of(["first = 1\n", *BODY])

    likeness = CursorLines.around(Point(2, 4), BODY, [other]).likeness(other)

    assert max(likeness, key=likeness.__getitem__) == 3
    assert likeness[3] == pytest.approx(1.0)


def test_a_missing_line_is_looked_for_between_its_neighbours() -> None:
    other = LineIndex.of(["first = 1\n", *BODY, "last = 2\n"])

    likeness = CursorLines.around(Point(1, 0), [BODY[0], "\n", BODY[2]], [other]).likeness(other)

    assert likeness[2] == pytest.approx(1.0)


def test_a_line_of_rare_words_tells_more_than_one_of_words_in_every_file() -> None:
    lines = ["return self.value\n", "\n", "yield this.checksum\n"]
    common, rare = LineIndex.of(lines[:1]), LineIndex.of(lines[2:])
    scene = CursorLines.around(Point(1, 0), lines, [common, common, common, rare])

    assert max(scene.likeness(rare).values()) > 2 * max(scene.likeness(common).values())


def test_lines_are_as_alike_as_the_share_of_their_words_is_common() -> None:
    other = LineIndex.of(["return self.checksum\n"])
    scene = CursorLines.around(Point(1, 0), ["return self.value\n", "\n"], [other])

    assert scene.likeness(other) == {1: pytest.approx(2 / 4)}


def test_a_half_typed_word_says_nothing() -> None:
    other = LineIndex.of(BODY)
    begun, bare = ([*BODY[:1], f"    return {word} + offset\n"] for word in ("check", ""))
    column = len("    return ")

    typed = CursorLines.around(Point(1, column + len("check")), begun, [other])

    assert typed.likeness(other) == CursorLines.around(Point(1, column), bare, [other]).likeness(other)
    assert typed.likeness(other) != CursorLines.around(Point(1, column), begun, [other]).likeness(other)


def test_the_nearest_line_counts_most() -> None:
    lines = ["alpha_far()\n", "\n", "\n", "beta_near()\n", "\n"]
    far, near = LineIndex.of(lines[:1]), LineIndex.of(lines[3:4])
    scene = CursorLines.around(Point(4, 0), lines, [far, near])

    assert max(scene.likeness(near).values()) > max(scene.likeness(far).values())


@pytest.mark.parametrize(
    "lines", [[], ["\n"], ["}\n", "x = 1\n"]], ids=["no line", "an empty one", "no words"]
)
def test_nothing_is_like_nothing(lines: list[str]) -> None:
    other = LineIndex.of(BODY)

    assert CursorLines.around(Point(0, 0), lines, [other]).likeness(other) == {}


def test_only_telling_lines_count_as_repeated() -> None:
    near = telling_lines(["    total = price * count\n", "}\n"])

    assert repeated_share("total = price * count\n}\n}\n", near) == 1.0
    assert repeated_share("total = price * count\nreturn total + tax\n", near) == 0.5
    assert repeated_share("}\n", near) == 0.0
