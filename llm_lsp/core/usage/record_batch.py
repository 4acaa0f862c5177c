"""Usage records that are written together; they contain no document text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_lsp.core.usage.records import CallRecord, Subject, SuggestionRecord
from llm_lsp.core.usage.request_trace import TraceRow


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records that are written together."""

    at: float
    """Time of writing, as in CallRecord."""
    calls: tuple[CallRecord, ...] = ()
    suggestions: tuple[SuggestionRecord, ...] = ()
    counts: Mapping[tuple[Subject, str], int] = field(default_factory=dict)
    """Increments of counters: "keystrokes", or how requests were answered."""
    traces: tuple[TraceRow, ...] = ()
