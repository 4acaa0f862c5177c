"""Predicts next edits as the engine does: by the rules, and by a model where these find nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from llm_lsp.core.edits.dismissals import Dismissals
from llm_lsp.core.edits.last_change import LastChange
from llm_lsp.core.edits.next_edit import EditRequest, NextEdit
from llm_lsp.core.edits.predict import UNASKED
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.edits.decision import EditQuestion
from llm_lsp.engine.engine import CompletionEngine
from llm_lsp.errors import ConfigError
from llm_lsp.evaluation.edits.run import RulePredictor
from llm_lsp.evaluation.edits.states import EditState
from llm_lsp.evaluation.report.results import HoleCost
from llm_lsp.evaluation.runs.call_probe import CallProbe
from llm_lsp.evaluation.runs.hole_runner import cost_of

# Why no call can be made at all: the measurement ends.
_HOPELESS = (
    Reason.NO_PROVIDER,
    Reason.NO_EDIT_MODEL,
    Reason.PROVIDER_FAILED,
    Reason.OVER_BUDGET,
    Reason.CIRCUIT_OPEN,
)


class ModelPredictor:
    """Predicts with an engine's rules and model."""

    def __init__(
        self, engine: CompletionEngine, probe: CallProbe, root_uri: str, now: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._probe = probe
        self._root_uri = root_uri
        self._now = now
        self._by_rules = RulePredictor()

    async def predict(self, state: EditState) -> tuple[tuple[NextEdit, ...], HoleCost]:
        """Return the edits that may be shown, best first, and what they cost; raises ConfigError if no model
        can be asked.
        """
        edits, cost = self._by_rules(state)
        if any(edit.confidence >= UNASKED for edit in edits):
            return edits, cost
        # As in an editor, nothing is asked in the middle of a name.
        if state.is_half_typed:
            return edits, cost
        begun_at = self._now()
        found = await self._asked(state, next(iter(edits), None))
        calls = self._probe.take()
        cost = cost_of(calls, cost.whole_s + self._now() - begun_at)
        if isinstance(found, Skip):
            if found.reason in _HOPELESS:
                raise ConfigError(f"not measured, {found.reason.value}: {found.detail}")
            return edits, cost
        return (found, *edits), cost

    async def _asked(self, state: EditState, doubtful: NextEdit | None) -> NextEdit | Skip:
        document = replace(state.document, uri=f"{self._root_uri}/{state.path}")
        history = tuple(
            replace(
                burst,
                before=replace(burst.before, uri=self._moved(burst.before.uri)),
                after=replace(burst.after, uri=self._moved(burst.after.uri)),
            )
            for burst in state.history.fresh_bursts(state.now)
        )
        question = EditQuestion(
            document,
            state.cursor,
            history,
            LastChange(),
            is_typing=False,
            dismissals=Dismissals(),
            redactor=None,
        )
        engine = self._engine
        request = EditRequest(engine.next_id(), document, state.cursor, Trigger.MANUAL, engine.now())
        return await engine.edits.by_model(request, question, doubtful)

    def _moved(self, uri: str) -> str:
        """Return a state's URI inside of the measured folder."""
        return f"{self._root_uri}/{uri.removeprefix('file:///')}"
