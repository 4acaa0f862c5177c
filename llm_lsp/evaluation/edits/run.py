"""Predicts the next edit in every state of a history, and judges it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.edits.predict import all_edits
from llm_lsp.core.edits.situation import Situation
from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.evaluation.corpus.commit_history import CommitChange
from llm_lsp.evaluation.edits.judgement import judge
from llm_lsp.evaluation.edits.results import EditResult
from llm_lsp.evaluation.edits.states import EditState, states
from llm_lsp.evaluation.report.results import HoleCost

# Edits judged per state; the shown one is among the first.
MAX_JUDGED = 12

Predictor = Callable[[EditState], tuple[tuple[NextEdit, ...], HoleCost]]
"""Returns the edits that may be shown, best first, and what they cost."""


def run(commits: Iterable[CommitChange], seed: int, predictor: Predictor) -> Iterator[EditResult]:
    """Yield a result for each state of each commit."""
    for commit in commits:
        for state in states(commit, seed):
            yield result_of(state, *predictor(state))


def result_of(state: EditState, edits: Sequence[NextEdit], cost: HoleCost) -> EditResult:
    """Judge what was predicted in a state."""
    return EditResult(
        state=state.id,
        path=state.path,
        language=state.document.language,
        order=state.order,
        is_half_typed=state.is_half_typed,
        is_open=bool(state.remaining),
        edits=tuple(judge(state, edit) for edit in edits[:MAX_JUDGED]),
        cost=cost,
    )


class RulePredictor:
    """Predicts by rules, without a model."""

    def __init__(self, now: Callable[[], float] = time.thread_time) -> None:
        self._now = now

    def __call__(self, state: EditState) -> tuple[tuple[NextEdit, ...], HoleCost]:
        """Predict as in an editor; parsing the syntax tree is not timed, since an editor has it already."""
        tree = SyntaxTree.of(state.document.text, state.document.language)
        begun_at = self._now()
        situation = Situation(
            state.document, state.cursor, state.history.fresh_bursts(state.now), tree, state.is_half_typed
        )
        edits = all_edits(situation)
        return edits, HoleCost(money=0.0, whole_s=self._now() - begun_at)
