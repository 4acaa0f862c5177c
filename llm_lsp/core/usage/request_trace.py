"""The trace of one request, stage by stage, and its description; it contains no document text."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    """Return one line on the request and how it was answered."""
    where = " in ".join(filter(None, (trace.subject.language, trace.subject.project)))
    asked = ", ".join(filter(None, (trace.trigger, _FACES.get(trace.face, trace.face), where)))
    if trace.shown_chars is not None:
        return f"{asked}: {trace.shown_chars} characters after {trace.ms:.0f} ms"
    return f"{asked}: nothing after {trace.ms:.0f} ms, {trace.reason}"


def explain(trace: RequestTrace, call: CallRecord | None = None) -> Iterator[str]:
    """Yield the description of a request, one line per stage; `call` is the one that answered it."""
    yield headline(trace)
    for step in trace.steps:
        yield f"{step.ms:8.1f} ms  {step.stage}: {step.words}"
    if call is not None:
        yield f"             {describe_call(call)}"


def explain_open(request: AnyRequest, log: RequestLog, now: float) -> Iterator[str]:
    """Yield the description of an unanswered request; `now` in seconds of the engine's clock."""
    face = _FACES.get(request.face, request.face)
    asked = f"{request.trigger.value}, {face}, {request.document.language}"
    yield f"in flight: {asked}, for {now - request.asked_at:.1f} s"
    for step in log.taken:
        yield f"{step.ms:8.1f} ms  {step.stage}: {step.words}"


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


_FACES = {"inline": "ghost text", "menu": "menu", "command": "command", "edit": "next edit"}
_ENDS = {
    "complete": "ended by itself",
    "cut": "closed when everything needed had arrived",
    "closed": "closed because it was no longer needed",
    "failed": "failed",
}
