"""A failed call, for the tests of the audit file."""

from __future__ import annotations

from llm_lsp.core.generation import Usage
from llm_lsp.core.usage.records import CallRecord, Subject

SUBJECT = Subject("team", "coder", "python", "secret-project")
CALL = CallRecord(
    7, 1_796_102_466.25, SUBJECT, "automatic", Usage(120, 9, 100), False, 0.1, "USD", False, "failed",
    0.2, 0.4, "RateLimitError",
)  # fmt: skip
