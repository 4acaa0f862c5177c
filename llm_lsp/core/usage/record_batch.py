"""The usage records that are written at once; they contain no text of any document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_lsp.core.usage.records import CallRecord, Subject, SuggestionRecord
from llm_lsp.core.usage.request_trace import TraceRow


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Rows that are written at once."""

    at: float
    """The time of writing, as in CallRecord."""
    calls: tuple[CallRecord, ...] = ()
    suggestions: tuple[SuggestionRecord, ...] = ()
    counts: Mapping[tuple[Subject, str], int] = field(default_factory=dict)
    """How many more there were of something: "keystrokes", or how requests were answered."""
    traces: tuple[TraceRow, ...] = ()
