"""Whether a model is asked at all."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.admission import AdmissionRules, admit, gate
from llm_lsp.core.request import GATES, CompletionRequest, Gate, Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.text.typing_pace import TypingPace


def request(uri: str = "file:///a.py", trigger: Trigger = Trigger.AUTOMATIC) -> CompletionRequest:
    return CompletionRequest(1, Document(uri, "python", 1, Text.of("")), Point(0, 0), trigger, "inline", 0.0)


@pytest.mark.parametrize(
    ("asked", "rules", "reason"),
    [
        pytest.param(request(), AdmissionRules(), None, id="ordinary"),
        pytest.param(request(), AdmissionRules(enabled=False), Reason.DISABLED, id="switched-off"),
        pytest.param(request(), AdmissionRules(languages=("go",)), Reason.LANGUAGE, id="another-language"),
        pytest.param(request(), AdmissionRules(languages=("python",)), None, id="a-listed-language"),
        pytest.param(request("git:///a.py"), AdmissionRules(), Reason.SCHEME, id="a-diff"),
        pytest.param(request("untitled:Untitled-1"), AdmissionRules(), None, id="unsaved"),
        pytest.param(request(), AdmissionRules(automatic=False), Reason.MANUAL_ONLY, id="only-when-asked"),
        pytest.param(request(trigger=Trigger.MANUAL), AdmissionRules(automatic=False), None, id="asked"),
    ],
)
def test_admission(asked: CompletionRequest, rules: AdmissionRules, reason: Reason | None) -> None:
    skip = admit(asked.document, asked.point, asked.trigger, rules)

    assert (skip and skip.reason) == reason


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
        pytest.param("x = ", "", TypingPace(deletions=2), Reason.DELETING, id="second-deletion"),
        pytest.param("x = ", "", TypingPace(deletions=3), None, id="third-deletion"),
    ],
)
def test_gates(line_prefix: str, line_suffix: str, pace: TypingPace, reason: Reason | None) -> None:
    skip = gate(line_prefix, line_suffix, pace)

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

    assert gate(line_prefix, line_suffix, pace) is not None
    assert gate(line_prefix, line_suffix, pace, others) is None
