"""The way of a request, and its telling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_lsp.core.generation import Usage
from llm_lsp.core.usage.records import CallRecord, Subject
from llm_lsp.core.usage.request_log import LogEntry, RequestLog
from llm_lsp.core.usage.request_trace import RequestTrace, cost_words, describe_call, explain

SUBJECT = Subject("codestral", "codestral-latest", "python", "web")
STEPS = (LogEntry("cache", "no earlier answer fits", 0.1), LogEntry("model", "text has come", 212.0))
TRACE = RequestTrace(7, "automatic", "inline", SUBJECT, STEPS, 212.4, 23)
CALL = CallRecord(
    3, 0.0, SUBJECT, "automatic", Usage(812, 12, 700), True, 0.000261, "USD", False, "cut", 0.12, 0.16
)


def test_a_trace_is_read_as_it_was_written() -> None:
    assert RequestTrace.from_json(TRACE.to_json()) == TRACE


def test_the_way_is_told_stage_by_stage() -> None:
    assert list(explain(TRACE, CALL)) == [
        "While you typed in python (web), ghost text of 23 characters was shown after 212 ms.",
        "",
        "| stage           |     time | what happened |",
        "| --------------- | -------: | --- |",
        "| earlier answers |   0.1 ms | no earlier answer fits |",
        "| model           | 212.0 ms | text has come |",
        "| call            |          | codestral codestral-latest: about 812 tokens read (700 of them cached), 12 written, "
        "first text after 120 ms, 160 ms in all, closed when everything needed had arrived, 0.00026 USD |",
    ]


def test_it_says_why_nothing_was_shown() -> None:
    skipped = replace(TRACE, shown_chars=None, reason="text is being deleted", ms=0.3)

    assert explain(skipped)[0] == (
        "While you typed in python (web), nothing was shown after 0 ms: text is being deleted."
    )


def test_a_call_that_goes_on_has_no_figures() -> None:
    assert describe_call(replace(CALL, outcome="reserved")) == "its call has not ended"


@pytest.mark.parametrize(
    ("cost", "words"),
    [(None, "cost unknown"), (0.0, "free"), (12.3456, "12.35 USD"), (0.000123, "0.00012 USD")],
)
def test_small_amounts_keep_two_digits_that_count(cost: float | None, words: str) -> None:
    assert cost_words(cost, "USD") == words


def test_a_stage_takes_the_time_since_the_one_before() -> None:
    steps = RequestLog()
    steps.left("cache", "nothing", 10.0)
    steps.left("model", "text", 10.25)

    assert [step.ms for step in steps.taken] == [0.0, 250.0]


def test_words_do_not_break_the_table() -> None:
    odd = replace(TRACE, steps=(LogEntry("provider", "a|b is passed over", 1.0),))

    assert explain(odd)[-1] == "| provider | 1.0 ms | a\\|b is passed over |"


def test_a_request_without_stages_is_one_sentence() -> None:
    assert len(explain(replace(TRACE, steps=()))) == 1
