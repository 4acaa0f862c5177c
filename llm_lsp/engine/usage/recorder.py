"""Turns edits, requests, calls and acceptances into usage records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from urllib.parse import unquote

from llm_lsp.config.settings import Config
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import AnyRequest, Completion, CompletionRequest, ModelRequest
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit
from llm_lsp.core.usage.records import CallRecord, Subject
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.core.usage.request_trace import RequestTrace, TraceRow, explain, explain_open
from llm_lsp.engine.clock import Clock, Timer
from llm_lsp.engine.usage.acceptance_tracker import AcceptanceTracker
from llm_lsp.engine.usage.audit_log import AuditLog
from llm_lsp.engine.usage.budget_guard import limits_of
from llm_lsp.engine.usage.ledger import Ledger
from llm_lsp.engine.usage.meter import MeteredCall, MeteredStream
from llm_lsp.providers.base import Stream

K = TypeVar("K")
T = TypeVar("T")

# Calls remembered for `explain` and to attribute generations, and documents whose subjects are remembered.
MOST_REMEMBERED = 256
# Seconds from an edit or answer to its record, so that no answer waits for the recording. It is part of what a killed
# process loses (ADR 21).
ENTRY_S = 0.005


class UsageRecorder:
    """Records every edit, request, call and acceptance; one per process."""

    def __init__(
        self,
        ledger: Ledger,
        document: Callable[[str], Document | None],
        clock: Clock,
        utc: Callable[[], float],
        audit: AuditLog | None = None,
    ) -> None:
        self.ledger = ledger
        self._audit = audit
        self._clock = clock
        self._utc = utc
        self._offers = AcceptanceTracker(ledger.suggestion, document, clock, utc)
        self._folders: tuple[str, ...] = ()
        self._profiles: dict[str, Profile] = {}
        """The model that answered each document's last request."""
        self._subjects: dict[str, Subject] = {}
        """Subjects by URI; cached, since every keystroke is counted for one."""
        self._n_calls = 0
        self._calls: dict[int, CallRecord] = {}
        self._authors: dict[int, MeteredCall] = {}
        """The call that produced each generation."""
        self._open: dict[int, tuple[AnyRequest, RequestLog]] = {}
        """The unanswered requests, by number."""
        self._in_flight: dict[int, MeteredCall] = {}
        """The calls in flight."""
        self._last: RequestTrace | None = None
        self._last_call: int | None = None
        self._last_edit: RequestTrace | None = None
        self._notes: deque[Callable[[], None]] = deque()
        """Delayed records, in order."""
        self._timer: Timer | None = None

    def configure(self, config: Config) -> None:
        """Use these limits and files."""
        self.ledger.configure(limits_of(config.budget), save=config.usage.save)
        if self._audit:
            self._audit.configure(config.audit.file)

    def set_folders(self, folders: tuple[str, ...]) -> None:
        """Use these workspace folders (URIs)."""
        self._folders = folders
        self._subjects.clear()

    def admitted(self, uri: str, profile: Profile) -> None:
        """Record which model answers a document's requests."""
        if self._profiles.get(uri) is not profile:
            _remember(self._profiles, uri, profile)
            self._subjects.pop(uri, None)

    def metered(
        self, request: ModelRequest, profile: Profile, prompt: Prompt, stream: Stream
    ) -> MeteredStream:
        """Return the stream with its usage counted; the budget is checked before anything is sent."""
        self._n_calls += 1
        # The model of this call, which may be a fallback's, not the document's usual one.
        subject = self._subject(request.document).of(profile)
        order = MeteredCall(
            self._n_calls, request.id, self._utc(), subject, request.trigger.value, profile, prompt
        )
        return MeteredStream(stream, order, self, self._clock.now)

    def wrote(self, order: MeteredCall, generation_id: int) -> None:
        """Record which call produced a generation."""
        _remember(self._authors, generation_id, order)

    async def reserve(self, order: MeteredCall) -> None:
        """Reserve the highest cost of a call; raises BudgetError if the budget does not allow it."""
        if self.ledger.has_budget:
            await self.ledger.reserve(order.worst())
        self._in_flight[order.number] = order

    def settle(self, call: CallRecord) -> None:
        """Record what a call used."""
        sent = self._in_flight.pop(call.number, None)
        if self._audit and sent:
            self._audit.record(call, sent.profile)
        _remember(self._calls, call.number, call)
        self.ledger.settle(call)

    @contextmanager
    def open(self, request: AnyRequest, log: RequestLog) -> Iterator[None]:
        """List a request as in flight in `explain` until it is answered or cancelled."""
        self._open[request.id] = request, log
        try:
            yield
        finally:
            del self._open[request.id]

    def answered(self, request: CompletionRequest, result: Completion | Skip, log: RequestLog) -> None:
        """Record how a request was answered."""
        self._enter(partial(self._answered, request, result, log, self._clock.now()))

    def edit_answered(self, request: AnyRequest, shown: int | Skip, log: RequestLog) -> None:
        """Record how a request for a next edit was answered: with some characters, or with nothing."""
        self._enter(partial(self._edit_answered, request, shown, log, self._clock.now()))

    def edit_settled(self, document: Document, outcome: str) -> None:
        """Record whether a next edit that was shown was accepted or dismissed."""
        self._enter(partial(self._count, document, f"edits: {outcome}"))

    def shown(self, request: CompletionRequest, completion: Completion) -> None:
        """Record that the user chose another of several answers."""
        subject = self._subject(request.document)
        self._enter(partial(self._offers.show, request.document.uri, completion, subject))

    def edited(self, document: Document, edits: Sequence[Edit]) -> None:
        """Record a document's edits; the edits of one notification count as one keystroke."""
        self._enter(partial(self._edited, document, edits))

    def accepted(self, completion_id: str) -> None:
        """Record an acceptance reported by the editor."""
        self._enter(partial(self._offers.accept, completion_id))

    def closed(self, uri: str) -> None:
        """Finish tracking in a document."""
        self._catch_up()
        self._offers.close(uri)
        self._profiles.pop(uri, None)
        self._subjects.pop(uri, None)

    def explain(self) -> str:
        """Describe the last request and those in flight, stage by stage."""
        self._catch_up()
        lines: list[str] = []
        if self._last is not None:
            call = self._calls.get(self._last_call) if self._last_call is not None else None
            lines += explain(self._last, call)
        if self._last_edit is not None:
            lines += explain(self._last_edit)
        for request, log in self._open.values():
            lines += explain_open(request, log, self._clock.now())
        for order in self._in_flight.values():
            who = f"{order.subject.provider} {order.subject.model}"
            lines.append(f"call in flight: {who}, {order.trigger}, for {self._utc() - order.at:.1f} s")
        return "\n".join(lines) or "no requests yet"

    async def aclose(self) -> None:
        """Finish all tracking, and write the records."""
        self._catch_up()
        self._offers.aclose()
        if self._audit:
            await self._audit.aclose()
        await self.ledger.aclose()

    def _enter(self, note: Callable[[], None]) -> None:
        self._notes.append(note)
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + ENTRY_S, self._catch_up)

    def _catch_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._notes:
            self._notes.popleft()()

    def _answered(
        self, request: CompletionRequest, result: Completion | Skip, log: RequestLog, now: float
    ) -> None:
        document = request.document
        order = self._authors.get(log.generation_id) if log.generation_id is not None else None
        subject = self._subject(document)
        if order:
            subject = subject.of(order.profile)
        call = order.number if order else None
        shown = len(result.text) if isinstance(result, Completion) else result
        trace = RequestTrace.of(request, shown, log, subject, now)
        self._last, self._last_call = trace, call
        self.ledger.count(subject, _kind(request, result, order, is_known=log.is_known))
        self.ledger.trace(TraceRow(self._utc(), call, trace))
        if isinstance(result, Completion) and request.face != "command":
            self._offers.show(document.uri, result, subject)

    def _edit_answered(self, request: AnyRequest, shown: int | Skip, log: RequestLog, now: float) -> None:
        trace = RequestTrace.of(request, shown, log, self._subject(request.document), now)
        self._last_edit = trace
        self._count(request.document, f"edits: {shown.reason.name if isinstance(shown, Skip) else 'shown'}")
        self.ledger.trace(TraceRow(self._utc(), None, trace))

    def _count(self, document: Document, what: str) -> None:
        self.ledger.count(self._subject(document), what)

    def _edited(self, document: Document, edits: Sequence[Edit]) -> None:
        self._offers.edited(document.uri, edits)
        if edits:
            self.ledger.count(self._subject(document), "keystrokes")

    def _subject(self, document: Document) -> Subject:
        subject = self._subjects.get(document.uri)
        if subject is None:
            subject = self._find_subject(document)
            # Bounded, since a document may be closed before its request is answered.
            _remember(self._subjects, document.uri, subject)
        return subject

    def _find_subject(self, document: Document) -> Subject:
        profile = self._profiles.get(document.uri)
        project = project_of(document.uri, self._folders)
        if profile is None:
            return Subject(language=document.language, project=project)
        return Subject(profile.provider, profile.model, document.language, project)


def project_of(uri: str, folders: Sequence[str]) -> str:
    """Return the last part of a document's workspace folder, without the path, which would reveal more of the
    user.
    """
    return unquote(folder_of(uri, folders).rstrip("/").rpartition("/")[2])


def folder_of(uri: str, folders: Sequence[str]) -> str:
    """Return the URI of the innermost workspace folder that a document is in; "" if it is in none."""
    holding = [folder for folder in folders if uri.startswith(folder.rstrip("/") + "/")]
    return max(holding, key=len, default="")


def _kind(
    request: CompletionRequest, result: Completion | Skip, order: MeteredCall | None, *, is_known: bool
) -> str:
    """Return how a request was answered, as counted in the usage store."""
    if isinstance(result, Skip):
        return f"nothing: {result.reason.name}"
    if is_known:
        return "known"
    return "called" if order and order.request == request.id else "joined"


def _remember(table: dict[K, T], key: K, value: T) -> None:
    table[key] = value
    if len(table) > MOST_REMEMBERED:
        del table[next(iter(table))]
