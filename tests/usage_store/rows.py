"""Rows for tests of the books."""

from __future__ import annotations

from datetime import UTC, datetime

from llm_lsp.core.generation import Usage
from llm_lsp.core.usage.records import CallRecord, Outcome, Subject
from llm_lsp.core.usage.request_trace import RequestTrace

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400.0
SUBJECT = Subject("codestral", "codestral-latest", "python", "web")


def a_call(
    number: int = 1,
    cost: float | None = 0.5,
    *,
    at: float = NOON,
    tokens: tuple[int, int] = (100, 10),
    outcome: Outcome = "complete",
    subject: Subject = SUBJECT,
    free: bool = False,
) -> CallRecord:
    usage = Usage(*tokens)
    return CallRecord(number, at, subject, "automatic", usage, False, cost, "USD", free, outcome, 0.2, 0.4)


def a_trace(request: int = 1) -> RequestTrace:
    return RequestTrace(request, "automatic", "inline", SUBJECT, (), 1.0, 23)
