"""The trace of one request, stage by stage, and its description; it contains no document text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from llm_lsp.core.request import AnyRequest
from llm_lsp.core.skip import Skip
from llm_lsp.core.usage.records import CallRecord, Subject
from llm_lsp.core.usage.request_log import LogEntry, RequestLog


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """A request, and how it was answered."""

    request: int
    trigger: str
    face: str
    subject: Subject
    steps: tuple[LogEntry, ...]
    ms: float
    """From the request to the answer."""
    shown_chars: int | None
    """None if nothing was shown."""
    reason: str = ""
    """Why nothing was shown, as a sentence."""

    @classmethod
    def of(
        cls,
        request: AnyRequest,
        shown: int | Skip,
        log: RequestLog,
        subject: Subject,
        now: float,
    ) -> RequestTrace:
        """Build the trace of a request that was answered at `now`, with some characters or with nothing."""
        ms = round((now - request.asked_at) * 1000, 2)
        about = (request.id, request.trigger.value, request.face, subject, tuple(log.taken), ms)
        if not isinstance(shown, Skip):
            return cls(*about, shown_chars=shown)
        detail = f" ({shown.detail})" if shown.detail else ""
        return cls(*about, shown_chars=None, reason=shown.reason.value + detail)

    def to_json(self) -> str:
        """Serialize for another process."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, body: str) -> RequestTrace:
        """Parse the result of `to_json`."""
        values = json.loads(body)
        steps = tuple(LogEntry(**step) for step in values.pop("steps"))
        return cls(subject=Subject(**values.pop("subject")), steps=steps, **values)


@dataclass(frozen=True, slots=True)
class TraceRow:
    """A trace in the usage store."""

    at: float
    """Seconds since 1970 (UTC)."""
    call: int | None
    """The number of the call that answered it."""
    trace: RequestTrace
    """Serialized when it is stored, so that requests need not wait for it."""


def headline(trace: RequestTrace) -> str:
    """Return one sentence on what was requested and how it was answered."""
    begin = (
        f"{_BEGINS.get(trace.trigger, trace.trigger)}{_place(trace.subject.language, trace.subject.project)}"
    )
    if trace.shown_chars is not None:
        what = _FACES.get(trace.face, trace.face)
        return f"{begin}, {what} of {trace.shown_chars} characters was shown after {trace.ms:.0f} ms."
    return f"{begin}, nothing was shown after {trace.ms:.0f} ms: {trace.reason}."


def explain(trace: RequestTrace, call: CallRecord | None = None) -> list[str]:
    """Return the description of a request: a sentence, and a table of its stages that is Markdown and reads as text.

    `call` is the one whose text answered the request.
    """
    rows = _stage_rows(trace.steps)
    if call is not None:
        rows.append(("call", "", describe_call(call)))
    return [headline(trace), *_table(rows)]


def explain_open(request: AnyRequest, log: RequestLog, now: float) -> list[str]:
    """Return the description of a request that is not answered yet; `now` in seconds of the engine's clock."""
    begin = f"{_BEGINS[request.trigger.value]}{_place(request.document.language, '')}"
    what = _FACES.get(request.face, request.face)
    sentence = f"In flight: {begin.lower()}, {what} has been awaited for {now - request.asked_at:.1f} s."
    return [sentence, *_table(_stage_rows(log.taken))]


def _place(language: str, project: str) -> str:
    return (f" in {language}" if language else "") + (f" ({project})" if project else "")


def _stage_rows(steps: Iterable[LogEntry]) -> list[tuple[str, str, str]]:
    return [(_STAGES.get(step.stage, step.stage), f"{step.ms:.1f} ms", step.words) for step in steps]


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Write rows as a Markdown table whose columns stand below each other, behind a blank line; empty without rows."""
    if not rows:
        return []
    head = ("stage", "time", "what happened")
    first, second = (max(len(row[column]) for row in (head, *rows)) for column in (0, 1))
    lines = [f"| {head[0]:{first}} | {head[1]:>{second}} | {head[2]} |"]
    lines.append(f"| {'-' * first} | {'-' * (second - 1)}: | --- |")
    for stage, time, words in rows:
        escaped = words.replace("|", "\\|")
        lines.append(f"| {stage:{first}} | {time:>{second}} | {escaped} |")
    return ["", *lines]


def describe_call(call: CallRecord) -> str:
    """Return one line on what a call used."""
    if call.outcome == "reserved":
        return "its call has not ended"
    usage = call.usage
    cached = f" ({usage.cached_tokens:,} of them cached)" if usage.cached_tokens else ""
    first = f", first text after {call.first_s * 1000:.0f} ms" if call.first_s is not None else ", no text"
    about = "about " if call.estimated else ""
    return (
        f"{call.subject.provider} {call.subject.model}: {about}{usage.input_tokens or 0:,} tokens read{cached}, "
        f"{usage.output_tokens or 0:,} written{first}, {call.whole_s * 1000:.0f} ms in all, "
        f"{_ENDS[call.outcome]}, {cost_words(call.cost, call.currency)}"
    )


def cost_words(cost: float | None, currency: str) -> str:
    """Format an amount with two significant digits, even if it is a hundredth of a cent."""
    if cost is None:
        return "cost unknown"
    if cost == 0:
        return "free"
    return f"{cost:.2f} {currency}" if cost >= 1 else f"{cost:.2g} {currency}"


_BEGINS = {"automatic": "While you typed", "manual": "When you asked"}
_FACES = {"inline": "ghost text", "menu": "a menu item", "command": "a completion", "edit": "a next edit"}
_STAGES = {
    "cache": "earlier answers",
    "gates": "worth a request",
    "waiting": "waiting",
    "context": "code from elsewhere",
    "model": "model",
    "fitting": "fitting",
}
"""What a user reads for each stage; others have their own name."""
_ENDS = {
    "complete": "ended by itself",
    "cut": "closed when everything needed had arrived",
    "closed": "closed because it was no longer needed",
    "failed": "failed",
}
