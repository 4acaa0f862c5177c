"""A question goes out with its role, its code, and as much of what was said before as fits."""

from __future__ import annotations

import pytest

from llm_lsp.core.chat.dialogue import (
    MOST_EXCHANGES,
    ROLE,
    ChatQuestion,
    Exchange,
    dialogue,
    mark_code,
    page,
    remembered,
)
from llm_lsp.core.privacy.redact import Redacted
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text

DOCUMENT = Document("file:///p/a.py", "python", 1, Text.of("a = 1\nb = 2\nc = 3\n"))
BEFORE = (Exchange("", "first?", "one"), Exchange("", "second?", "two"))


def test_role_first_then_what_was_said_then_the_question() -> None:
    assert dialogue("third?", BEFORE, 1000).messages == (
        ("system", ROLE),
        ("user", "first?"),
        ("assistant", "one"),
        ("user", "second?"),
        ("assistant", "two"),
        ("user", "third?"),
    )


def test_where_not_all_fits_the_oldest_is_left_out() -> None:
    long = Exchange("", "x" * 4000, "y")

    messages = dialogue("third?", (long, *BEFORE), 600).messages

    assert [text for role, text in messages if role == "user"] == ["first?", "second?", "third?"]


def test_the_question_goes_out_where_nothing_else_fits() -> None:
    assert dialogue("third?", BEFORE, 0).messages == (("system", ROLE), ("user", "third?"))


@pytest.mark.parametrize(
    ("lines", "first_line", "code"),
    [
        pytest.param((1, 2), 2, "b = 2", id="one line"),
        pytest.param((1, 3), 2, "b = 2\nc = 3", id="some lines"),
        pytest.param(None, 1, "a = 1\nb = 2\nc = 3", id="the whole file"),
    ],
)
def test_the_code_says_where_it_stands(lines: tuple[int, int] | None, first_line: int, code: str) -> None:
    marked = mark_code(ChatQuestion("what?", DOCUMENT, lines), "a.py", Redacted)

    assert marked == f'<file path="a.py" language="python" first_line="{first_line}">\n{code}\n</file>\n'


def test_a_question_about_no_code_stands_alone() -> None:
    assert mark_code(ChatQuestion("what?"), "", Redacted) == ""


def test_a_dialogue_keeps_its_newest_questions() -> None:
    before = tuple(Exchange("", f"{n}?", "") for n in range(MOST_EXCHANGES))

    kept = remembered(before, Exchange("", "new?", ""))

    assert [exchange.question for exchange in kept] == [
        *(f"{n}?" for n in range(1, MOST_EXCHANGES)),
        "new?",
    ]


def test_a_page_shows_the_newest_first_and_hides_nothing() -> None:
    said = (Exchange("<file>…</file>\n", "first?", "one\n"), Exchange("", "second\nline?", "two\x1b"))

    assert page(said) == "> second\n> line?\n\ntwo\\x1b\n\n---\n\n> first?\n\none\n"


def test_a_model_that_always_thinks_has_room_for_thoughts_beside_the_answer() -> None:
    usual, thinking = dialogue("why?", (), 1000), dialogue("why?", (), 1000, 2048)
    assert thinking.max_tokens == usual.max_tokens + 2048
