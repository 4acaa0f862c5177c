"""Whether an automatic request is worth a call."""

from __future__ import annotations

import pytest

from llm_lsp.core.request import GATES, Gate
from llm_lsp.core.response.gates import LOOK_COLUMNS, LOOK_LINES, TypedLine, gate, is_statement_end
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.core.text.typing_pace import TypingPace

TYPING = TypingPace(is_inserting=True)


@pytest.mark.parametrize(
    ("line_prefix", "line_suffix", "pace", "reason"),
    [
        pytest.param("x = ", "", TypingPace(), None, id="line-end"),
        pytest.param("foo(", ")", TypingPace(), None, id="before-a-closer"),
        pytest.param("foo(", "）；", TypingPace(), None, id="before-full-width-closers"),
        pytest.param("x = ", "+ 1", TypingPace(), Reason.MID_LINE, id="in-the-middle"),
        pytest.param("x = ", "+ 1", TYPING, None, id="typing-in-the-middle"),
        pytest.param("foo()", "", TYPING, Reason.STATEMENT_END, id="after-a-call"),
        pytest.param("foo(); ", "", TYPING, Reason.STATEMENT_END, id="after-a-semicolon"),
        pytest.param("完了。", "", TYPING, Reason.STATEMENT_END, id="after-a-full-width-stop"),
        pytest.param("    ", "", TYPING, None, id="blank-line"),
        pytest.param("x = ", "", TypingPace(deletions=1), Reason.DELETING, id="first-deletion"),
        pytest.param("x = ", "", TypingPace(deletions=9), Reason.DELETING, id="ninth-deletion"),
    ],
)
def test_gates(line_prefix: str, line_suffix: str, pace: TypingPace, reason: Reason | None) -> None:
    skip = gate(TypedLine(line_prefix, line_suffix, (), "python"), pace)

    assert (skip and skip.reason) == reason


@pytest.mark.parametrize(
    ("line_prefix", "line_suffix", "pace", "gate_name"),
    [
        pytest.param("x = ", "+ 1", TypingPace(), "mid-line", id="mid-line"),
        pytest.param("foo();", "", TYPING, "statement-end", id="statement-end"),
        pytest.param("x = ", "", TypingPace(deletions=1), "deleting", id="deleting"),
    ],
)
def test_each_gate_can_be_taken_out(
    line_prefix: str, line_suffix: str, pace: TypingPace, gate_name: Gate
) -> None:
    others = [name for name in GATES if name != gate_name]

    assert gate(TypedLine(line_prefix, line_suffix, (), "python"), pace) is not None
    assert gate(TypedLine(line_prefix, line_suffix, (), "python"), pace, others) is None


@pytest.mark.parametrize(
    "language", ["python", "javascript", "go", "rust", "java", "c", "lua", "erlang", "markdown", ""]
)
@pytest.mark.parametrize(
    "line",
    ["", ")", "}" * 400, "x)" * 300, "f(" * 200 + ")" * 200, '"' * 500 + ")", "if (" + "(a)" * 150 + ")"],
)
def test_any_line_is_judged(language: str, line: str) -> None:
    above = "f(" * 600 + "\n"
    document = Document("file:///a", language, 1, Text.of(above * 40 + line))

    assert is_statement_end(TypedLine.at(document, document.text.end)) in (True, False)


def test_only_what_is_near_is_read() -> None:
    document = Document("file:///a", "python", 1, Text.of("a" * 9000 + "\n" + "b\n" * 90 + "x" * 9000))
    place = TypedLine.at(document, document.text.end)

    assert len(place.above) == LOOK_LINES and set(place.above) == {"b"}
    assert len(place.before) == LOOK_COLUMNS and place.rest == ""
