"""Answers requests for the next edit: by rules, and by a model where these find nothing.

After an edit the document's tree is brought up to date once the user pauses, in a thread. A decision is made when a
client asks, also in that thread, and holds for its version of the document. A model is only asked by requests that may
wait, once for a version. An edit that was offered stays while the user types it themselves, and goes when they type
something else in its place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from llm_lsp.core.edits.dismissals import Dismissals
from llm_lsp.core.edits.last_change import LastChange
from llm_lsp.core.edits.next_edit import EditRequest, NextEdit, OfferedEdit, Prediction
from llm_lsp.core.edits.rebase import is_at, is_completed, rebase
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, advance, is_word_char, word_start
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock, InThread, Timer
from llm_lsp.engine.edits.model_edits import NOT_ASKED, ModelEdits, PreparedEdit
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.usage.recorder import UsageRecorder
from llm_lsp.engine.workspace.workspace import Workspace
from llm_lsp.errors import InternalError

if TYPE_CHECKING:
    from llm_lsp.engine.edits.decision import EditQuestion, RuleDecision, TreeStore

T = TypeVar("T")

LOG = logging.getLogger(__name__)

# Seconds without a key after which the tree is brought up to date, and after which a name behind which the cursor
# stands counts as typed to its end.
IDLE_S = 0.15
SETTLED_S = 0.6


@dataclass(frozen=True, slots=True)
class _Decision:
    document: Document
    is_typing: bool
    dismissals: Dismissals
    answer: OfferedEdit | Skip
    doubtful: NextEdit | None = None
    """An edit of the rules that is too uncertain to be shown."""
    is_asked: bool = False
    """Whether a model was asked, too."""

    @property
    def is_for_model(self) -> bool:
        """Whether a model may find an edit where the rules found none."""
        reasons = (Reason.NOTHING_FOLLOWS, Reason.UNCERTAIN)
        return not self.is_asked and isinstance(self.answer, Skip) and self.answer.reason in reasons

    def answers(self, question: EditQuestion) -> bool:
        """Check whether it is the answer to a question, too."""
        return (
            self.document is question.document
            and self.is_typing == question.is_typing
            and self.dismissals is question.dismissals
        )


class NextEdits:
    """The next edits of all open documents."""

    def __init__(
        self,
        models: ModelAccess,
        workspace: Workspace,
        recorder: UsageRecorder,
        status: ServerStatus,
        redactor: Redactor,
        clock: Clock,
        in_thread: InThread,
    ) -> None:
        self._models = models
        self._workspace = workspace
        self._recorder = recorder
        self._status = status
        self._redactor = redactor
        self._clock = clock
        self._in_thread = in_thread
        self._deciding = asyncio.Lock()
        self._changes: dict[str, LastChange] = {}
        """By URI, of the documents that were edited."""
        self._decisions: dict[str, _Decision] = {}
        self._dismissals = Dismissals()
        self._waiting: dict[str, asyncio.Event] = {}
        """What ends the wait of a document's request until the user pauses."""
        self._model_edits = ModelEdits(models, clock, in_thread)
        self._n_offered = 0
        self._edited_uri = ""
        self._timer: Timer | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    def edited(self, old: Document, document: Document, edits: tuple[Edit, ...]) -> None:
        """Record that some edits turned `old` into `document`."""
        uri, now = document.uri, self._clock.now()
        self._changes[uri] = self._changes.get(uri, LastChange()).edited(old, edits, now)
        self._follow(document, edits)
        self._model_edits.end(uri)
        if waiting := self._waiting.get(uri):
            waiting.set()
        self._edited_uri = uri
        if self._timer is None:
            self._timer = self._clock.call_at(now + IDLE_S, self._wake)

    def closed(self, uri: str) -> None:
        """Forget a document."""
        self._changes.pop(uri, None)
        self._decisions.pop(uri, None)
        self._model_edits.end(uri)
        if waiting := self._waiting.get(uri):
            waiting.set()
        if "_trees" in self.__dict__:
            self._trees.close(uri)

    async def next_edit(self, request: EditRequest, *, may_wait: bool = True) -> OfferedEdit | Skip:
        """Return the edit that follows from the last change of a document, or why there is none.

        With `may_wait` a name that is being typed is waited for.
        """
        log = RequestLog()
        with self._recorder.open(request, log):
            found = await self._answer(request, log, may_wait)
        shown = found if isinstance(found, Skip) else len(found.edit.new)
        self._recorder.edit_answered(request, shown, log)
        return found

    async def by_model(
        self, request: EditRequest, question: EditQuestion, doubtful: NextEdit | None
    ) -> NextEdit | Skip:
        """Return what a model makes of a question about any text, without waiting; the settings decide on redaction."""
        await self._models.examined(request.document.uri)
        if skip := self._models.admit_document(request.document):
            return skip
        return await self._model_edits.ask_now(request, self._redacted(question), doubtful)

    async def prompt(self, request: EditRequest) -> PreparedEdit | Skip:
        """Return what a model would be sent after the last change of a document, or why nothing would be."""
        uri = request.document.uri
        await self._models.examined(uri)
        if skip := self._refusal(uri) or self._models.admit_document(request.document):
            return skip
        question = self._question(request, is_typing=False)
        decided = await self._decide(question)
        return await self._model_edits.prepared(request, question, decided.doubtful)

    def accepted(self, offer_id: str) -> bool:
        """Record that an edit was accepted; return whether it is one of ours."""
        if offer := self._offer(offer_id):
            self._accept(offer)
        return offer is not None

    def dismissed(self, offer_id: str) -> None:
        """Record that the user dismissed an edit; an unknown one is no error."""
        if offer := self._offer(offer_id):
            self._decisions.pop(offer.document.uri)
            self._dismissals = self._dismissals.dismissed(offer.document.uri, offer.edit, self._clock.now())
            self._recorder.edit_settled(offer.document, "dismissed")

    async def aclose(self) -> None:
        """Update no more trees, and ask no model."""
        await self._model_edits.aclose()
        if self._timer:
            self._timer.cancel()
        for waiting in self._waiting.values():
            waiting.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @cached_property
    def _trees(self) -> TreeStore:
        # Imported when a document was edited: no completion needs it.
        from llm_lsp.engine.edits.decision import TreeStore

        return TreeStore()

    async def _answer(self, request: EditRequest, log: RequestLog, may_wait: bool) -> OfferedEdit | Skip:
        uri = request.document.uri
        if skip := self._status.off() or self._refusal(uri):
            return skip
        if not self._models.is_examined(uri):
            await self._models.examined(uri)
        if skip := self._models.admit_document(request.document):
            return skip
        log.left("admission", "next edits may be shown in the document", self._clock.now())
        if self._dismissals.is_paused(self._clock.now()):
            return Skip(Reason.DISMISSED)
        if may_wait and self._is_typing(request) and not await self._settled(request):
            return Skip(Reason.SUPERSEDED)
        if self._workspace.document(uri) is not request.document:
            return Skip(Reason.SUPERSEDED)
        question = self._question(request, self._is_typing(request))
        decision = self._known(question)
        if decision:
            log.left("rules", "decided before", self._clock.now())
        else:
            decision = await self._by_rules(request, question, log)
        if decision is None:
            return Skip(Reason.SUPERSEDED)
        if may_wait and decision.is_for_model:
            return await self._by_model(request, question, decision, log)
        return decision.answer

    async def _by_rules(
        self, request: EditRequest, question: EditQuestion, log: RequestLog
    ) -> _Decision | None:
        """Return what the rules decide; None if the document has changed meanwhile."""
        uri = request.document.uri
        decided = await self._decide(question)
        log.left("rules", f"compared with {len(question.bursts)} changes", self._clock.now())
        if self._workspace.document(uri) is not request.document:
            return None
        if known := self._known(question):
            return known  # Another request was faster.
        answer = self._offered(request, decided.found)
        decision = _Decision(
            request.document, question.is_typing, question.dismissals, answer, decided.doubtful
        )
        self._decisions[uri] = decision
        return decision

    def _known(self, question: EditQuestion) -> _Decision | None:
        known = self._decisions.get(question.document.uri)
        return known if known and known.answers(question) else None

    async def _by_model(
        self, request: EditRequest, question: EditQuestion, decision: _Decision, log: RequestLog
    ) -> OfferedEdit | Skip:
        uri = request.document.uri
        found = await self._model_edits.find(request, question, decision.doubtful, log)
        if found is None:
            return decision.answer
        if self._workspace.document(uri) is not request.document:
            return Skip(Reason.SUPERSEDED)
        known = self._decisions.get(uri)
        if known and known.is_asked and known.document is request.document:
            return known.answer  # Another request was faster.
        answer = self._offered(request, found if isinstance(found, Skip) else Prediction(found, (found,)))
        if not isinstance(answer, Skip) or answer.reason not in NOT_ASKED:
            self._decisions[uri] = replace(decision, answer=answer, is_asked=True)
        return answer

    def _refusal(self, uri: str) -> Skip | None:
        if self._models.runtime.config.edits.enabled is False:
            return Skip(Reason.EDITS_OFF)
        if self._workspace.document(uri) is None:
            return Skip(Reason.UNKNOWN_DOCUMENT)
        return None if uri in self._changes else Skip(Reason.NOT_EDITED)

    def _question(self, request: EditRequest, is_typing: bool) -> EditQuestion:
        from llm_lsp.engine.edits.decision import EditQuestion

        question = EditQuestion(
            request.document,
            request.point,
            self._workspace.edit_history.fresh_bursts(self._clock.now()),
            self._changes[request.document.uri],
            is_typing,
            self._dismissals,
            None,
        )
        return self._redacted(question)

    def _redacted(self, question: EditQuestion) -> EditQuestion:
        redacts = self._models.runtime.config.privacy.redact_secrets
        return replace(question, redactor=self._redactor if redacts else None)

    async def _decide(self, question: EditQuestion) -> RuleDecision:
        from llm_lsp.engine.edits.decision import RuleDecision, decide

        try:
            return await self._in_order(partial(decide, question, self._trees))
        except Exception as exc:
            LOG.error("no next edit: %s", InternalError.of(exc))
            return RuleDecision(Skip(Reason.FAULT))

    async def _in_order(self, work: Callable[[], T]) -> T:
        """Run what uses the trees in a thread, after all that was begun before.

        If the caller is cancelled it runs to its end: a thread cannot be stopped, and two must not use a tree.
        """

        async def run() -> T:
            async with self._deciding:
                return await self._in_thread(work)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def _offered(self, request: EditRequest, found: Prediction | Skip) -> OfferedEdit | Skip:
        if isinstance(found, Skip):
            return found
        self._n_offered += 1
        return OfferedEdit(f"edit-{self._n_offered}", request.document, found.edit, found.places)

    def _offer(self, offer_id: str) -> OfferedEdit | None:
        answers = (decision.answer for decision in self._decisions.values())
        return next((each for each in answers if not isinstance(each, Skip) and each.id == offer_id), None)

    def _accept(self, offer: OfferedEdit) -> None:
        self._decisions.pop(offer.document.uri)
        self._dismissals = self._dismissals.accepted()
        self._recorder.edit_settled(offer.document, "accepted")

    def _follow(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Keep an offered edit while its user types it, and drop it otherwise."""
        known = self._decisions.get(document.uri)
        if known is None:
            return
        if isinstance(known.answer, Skip) or not edits:
            del self._decisions[document.uri]
        elif is_completed(known.answer.edit, edits):
            self._accept(known.answer)
        elif rest := rebase(known.answer.edit, edits):
            answer = replace(known.answer, document=document, edit=rest, places=(rest,))
            self._decisions[document.uri] = replace(known, document=document, answer=answer)
        else:
            del self._decisions[document.uri]
            if is_at(known.answer.edit, edits):
                self._dismissals = self._dismissals.passed_over(document.uri, known.answer.edit)

    def _is_typing(self, request: EditRequest) -> bool:
        """Check whether the cursor stands behind a name that may not be typed to its end."""
        uri, point = request.document.uri, request.point
        change = self._changes.get(uri)
        if change is None or self._clock.now() - change.changed_at >= SETTLED_S or not change.edits:
            return False
        if (known := self._decisions.get(uri)) and not isinstance(known.answer, Skip):
            return known.is_typing  # The user types what was offered.
        edited = advance(change.edits[-1].start, change.edits[-1].text)
        if point.line != edited.line or point.line >= request.document.text.line_count:
            return False
        line, column = request.document.text.line(point.line), point.column
        # In a normal mode the cursor is on a name's last character, and not behind it.
        is_behind = not is_word_char(line[column : column + 1])
        return (
            is_behind
            and word_start(line, column) < column
            and word_start(line, column) <= edited.column <= column
        )

    async def _settled(self, request: EditRequest) -> bool:
        """Wait until the user has paused; return False if they typed on."""
        uri = request.document.uri
        if earlier := self._waiting.get(uri):
            earlier.set()
        waiting = self._waiting[uri] = asyncio.Event()
        timer = self._clock.call_at(self._changes[uri].changed_at + SETTLED_S, waiting.set)
        try:
            await waiting.wait()
        finally:
            timer.cancel()
            if self._waiting.get(uri) is waiting:
                del self._waiting[uri]
        is_paused = uri in self._changes and not self._is_typing(request)
        return is_paused and self._workspace.document(uri) is request.document

    def _wake(self) -> None:
        self._timer = None
        change = self._changes.get(self._edited_uri)
        if change is None:
            return
        if self._clock.now() < change.changed_at + IDLE_S:
            # Edited since: one timer for a whole burst, not one for each key.
            self._timer = self._clock.call_at(change.changed_at + IDLE_S, self._wake)
        elif self._refusal(self._edited_uri) is None:
            task = asyncio.create_task(self._update_tree(self._edited_uri))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _update_tree(self, uri: str) -> None:
        try:
            if (document := self._workspace.document(uri)) and not self._models.admit_document(document):
                await self._in_order(partial(self._trees.update, document))
        except Exception as exc:
            LOG.error("a tree was not updated: %s", InternalError.of(exc))
