from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_lsp.core.text import window as module
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.text.token_estimate import estimate_tokens
from llm_lsp.core.text.window import Window, cut_window


def document(text: str) -> Document:
    return Document("file:///u/project/models/user%20one.py", "python", 1, Text.of(text))


def numbered(count: int) -> str:
    return "".join(f"line {number:05d} of the file\n" for number in range(count))


@pytest.mark.parametrize(
    ("text", "point", "window"),
    [
        pytest.param("", Point(0, 0), ("", "", "", ""), id="an empty document"),
        pytest.param("a\nbc\nd\n", Point(1, 1), ("a\n", "b", "c", "\nd\n"), id="the middle of a line"),
        pytest.param("a\nb", Point(1, 1), ("a\n", "b", "", ""), id="the end of the last line"),
        pytest.param("a\n", Point(1, 0), ("a\n", "", "", ""), id="after the last line end"),
        pytest.param("a\r\nbc\r\nd", Point(1, 1), ("a\n", "b", "c", "\nd"), id="CRLF"),
        pytest.param("a\rbc\rd", Point(1, 1), ("a\n", "b", "c", "\nd"), id="CR"),
        pytest.param(
            "a\x0c\nb\u2028c", Point(1, 1), ("a\x0c\n", "b", "\u2028c", ""), id="no other line ends"
        ),
        pytest.param("a\x00b", Point(0, 2), ("", "a\x00", "b", ""), id="a binary file"),
        pytest.param("ab", Point(7, 9), ("", "ab", "", ""), id="a cursor past the end"),
    ],
)
def test_a_small_document_is_sent_whole(text: str, point: Point, window: tuple[str, str, str, str]) -> None:
    cut = cut_window(document(text), point, 2000)

    assert (cut.prefix, cut.line_prefix, cut.line_suffix, cut.suffix) == window


def test_the_name_is_one_line_without_hidden_characters() -> None:
    odd = Document("file:///p/b%0Aimport%20os%E2%80%8B.py", "python", 1, Text.of(""))

    assert cut_window(odd, Point(0, 0), 100).path == "p/b import os.py"


def test_the_name_is_the_last_two_parts() -> None:
    assert cut_window(document(""), Point(0, 0), 100).path == "models/user one.py"


def test_a_small_budget_gives_the_suffix_what_a_short_prefix_leaves() -> None:
    text = document(numbered(40))

    def suffix_tokens(line: int, budget: float) -> float:
        return estimate_tokens(cut_window(text, Point(line, 0), budget).suffix)

    assert 150 < suffix_tokens(10, 512) <= 192
    assert suffix_tokens(39, 512) < 1
    assert 0 < suffix_tokens(35, 256) < 30


def test_the_suffix_stays_while_a_line_is_typed() -> None:
    line = "value = compute(first_argument, second_argument, third_argument)"
    texts = (document(numbered(20) + line[:end] + "\n" + numbered(40)) for end in range(len(line)))

    suffixes = {cut_window(one, Point(20, end), 512).suffix for end, one in enumerate(texts)}

    assert len(suffixes) <= 2


def test_the_start_stays_while_lines_are_added() -> None:
    text = document(numbered(2000))

    starts = [cut_window(text, Point(line, 0), 2000).prefix[:10] for line in range(1000, 1256)]

    # Once each block of 64 lines, and not once each line.
    assert len(set(starts)) <= 256 // 64 + 1


def test_the_end_stays_while_lines_are_added_above_it() -> None:
    head, tail = numbered(1000), "".join(f"tail {number}\n" for number in range(1000))

    suffixes = {
        cut_window(document(head + "new\n" * n + tail), Point(999 + n, 0), 2000).suffix for n in range(1, 20)
    }

    assert len(suffixes) == 1


@pytest.mark.parametrize("budget", [64, 300, 2048, 8192])
@pytest.mark.parametrize(
    "line", ["x = compute(y)\n", "", "# 计算两点之间的距离\n", "y" * 3000 + "\n", "параметр = значение\n"]
)
def test_the_budget_holds(line: str, budget: int) -> None:
    text = document(line * 3000)
    window = cut_window(text, Point(text.text.line_count // 2, 5), budget)

    assert estimate_tokens(_joined(window)) <= budget


@pytest.mark.parametrize("budget", [300, 2048])
def test_most_of_the_budget_is_used(budget: int) -> None:
    window = cut_window(document(numbered(5000)), Point(2500, 3), budget)

    used = estimate_tokens(_joined(window))
    assert 0.45 * budget <= used
    assert estimate_tokens(window.prefix) > 2 * estimate_tokens(window.suffix)


def test_a_long_line_is_cut_around_the_cursor() -> None:
    window = cut_window(
        document("above\n" + "a" * 500_000 + "b" * 500_000 + "\nbelow\n"), Point(1, 500_000), 1000
    )

    assert window.prefix == window.suffix == ""
    assert window.line_prefix == "a" * 2975
    assert window.line_suffix == "b" * 350


def test_long_lines_around_are_left_out() -> None:
    long = "z" * 1_000_000
    window = cut_window(document(f"{long}\nabove\nx\nbelow\n{long}\n"), Point(2, 1), 1000)

    assert window.prefix == "above\n"
    assert window.suffix == "\nbelow\n"


def test_work_is_in_proportion_to_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    text = document(numbered(100_000))
    touched: list[int] = []

    def counted(piece: str) -> float:
        touched.append(len(piece))
        return estimate_tokens(piece)

    monkeypatch.setattr(module, "estimate_tokens", counted)
    cut_window(text, Point(50_000, 4), 2048)

    assert sum(touched) < 4 * 2048 * 3.5


def _joined(window: Window) -> str:
    return "".join(_parts(window))


def _parts(window: Window) -> Iterator[str]:
    yield from (window.prefix, window.line_prefix, window.line_suffix, window.suffix)
