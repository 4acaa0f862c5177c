"""What a hostile answer costs, in operations: calls of functions, and characters of the texts they belong to."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompt_builder import stop_rule
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.response.completion_extent import MAX_ANSWER_CHARS
from llm_lsp.core.response.read_ahead import READ_AHEAD_LINES, ReadAhead
from llm_lsp.core.response.suggestion_length import count_words
from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.window import Window

MB = 1_000_000
WINDOW = Window("def f():\n", "    x = ", "", "\n    b()\n", "python")
SHAPES = {
    "one line": "abc def, ",
    "one word": "a",
    "no words": "函数",
    "braces": "{[(",
    "closers": "}])",
    "quotes": '"',
    "escaped quotes": '"\\',
    "quotes of all kinds": "\"'` ",
    "blanks": " ",
    "tabs": "\t",
    "line ends": "\n",
    "other line ends": "\r",
    "blank lines": "  \r\n",
    "short lines": "x = 1\n",
    "deeper and deeper": "if a:\n    ",
    "marks": "<|",
    "beginnings of marks": "<|fim_",
    "thoughts": "a</think",
    "fences": "```\n",
    "a fence": "```a",
    "openings": "<fill>",
    "the document's next line": "    b()",
}
STARTS = {"thoughts": "<think>"}


@dataclass
class Operations:
    """A sum over all calls."""

    n: int = 0

    def count(self, frame: FrameType, event: str, arg: object) -> None:
        if event in ("call", "c_call"):
            owner = getattr(arg, "__self__", None)
            self.n += 1 + (len(owner) if isinstance(owner, str | bytes) else 0)


@contextmanager
def counted() -> Iterator[Operations]:
    operations = Operations()
    before = sys.getprofile()
    sys.setprofile(operations.count)
    try:
        yield operations
    finally:
        sys.setprofile(before)


def pieces(shape: str, n_chars: int, piece_chars: int) -> Iterator[str]:
    """Yield an answer of a shape, piece by piece; most of it is never read."""
    unit = SHAPES[shape]
    block = unit * (piece_chars // len(unit) + 2)
    yield STARTS.get(shape, "")
    for at in range(0, n_chars, piece_chars):
        yield block[at % len(unit) :][:piece_chars]


def cost(shape: str, n_chars: int, model: Profile, mode: Mode, piece_chars: int) -> int:
    """Count what it takes to read an answer as a call does: after each piece its text so far is passed on."""
    reader = ReadAhead(stop_rule(WINDOW, model, mode), phrase_words=3)
    with counted() as operations:
        for piece in pieces(shape, n_chars, piece_chars):
            if reader.feed(piece):
                break
            assert len(reader.text) <= MAX_ANSWER_CHARS * (1 + READ_AHEAD_LINES)
        else:
            reader.end(Finish.STOP)
    return operations.n


@pytest.mark.parametrize("shape", SHAPES)
@given(
    model=st.sampled_from([Profile("p", "qwen2.5-coder-0.5b", "qwen"), Profile("p", "m", "chat")]),
    mode=st.sampled_from(Mode),
    piece_chars=st.sampled_from([200, 65_536]),
)
def test_twice_the_answer_costs_at_most_twice_the_work(
    shape: str, model: Profile, mode: Mode, piece_chars: int
) -> None:
    costs = [cost(shape, n_chars, model, mode, piece_chars) for n_chars in (MB, 2 * MB, 4 * MB)]

    for smaller, larger in itertools.pairwise(costs):
        assert larger <= 2.1 * smaller + 1000
    # Looking once at each character, a hundred times at those that may be shown, and nothing of it again.
    assert costs[-1] <= 4 * 4 * MB + 100 * MAX_ANSWER_CHARS * len(Mode)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "work", [loose, lambda text: count_words(text, len(text))], ids=["brackets", "words"]
)
def test_what_is_done_to_a_whole_line_grows_as_the_line(shape: str, work: Callable[[str], object]) -> None:
    # In a line of this length a pattern that begins anew at each character would take minutes.
    text = (SHAPES[shape] * MAX_ANSWER_CHARS * 10)[: MAX_ANSWER_CHARS * 10].replace("\n", " ")
    with counted() as smaller:
        work(text[: len(text) // 2])
    with counted() as larger:
        work(text)
    # `find` of a line's end belongs to the whole text, once for each kind of quote.
    assert larger.n <= 2.1 * smaller.n + 10 * len(text)


@pytest.mark.parametrize(("n_lines", "finish"), [(0, Finish.TRUNCATED), (1, Finish.CUT)])
def test_a_line_that_is_too_long_is_no_complete_answer(n_lines: int, finish: Finish) -> None:
    reader = ReadAhead(stop_rule(Window("", "y = ", "", ""), Profile("p", "m", "none"), Mode.LINE))

    assert reader.feed("1\n" * n_lines + "a b " * MAX_ANSWER_CHARS)

    assert reader.finish is finish
    assert reader.units == (2,) * n_lines
