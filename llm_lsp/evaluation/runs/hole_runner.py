"""Fills one hole at a time through the pipeline that editors use."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.request import Completion, CompletionRequest
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.token_estimate import TokenRate
from llm_lsp.core.usage import prices
from llm_lsp.engine.engine import CompletionEngine
from llm_lsp.evaluation.corpus.holes import Hole
from llm_lsp.evaluation.report.results import HoleCost, HoleResult
from llm_lsp.evaluation.report.scoring import NOTHING, keeps_syntax, score
from llm_lsp.evaluation.runs.call_probe import CallProbe, ProbedCall
from llm_lsp.evaluation.runs.variants import Variant

# Reasons that say nothing of how good the answers are.
FAILURES = frozenset(
    {
        Reason.NO_PROVIDER,
        Reason.LOADING,
        Reason.PROVIDER_FAILED,
        Reason.RATE_LIMITED,
        Reason.CIRCUIT_OPEN,
        Reason.OVER_BUDGET,
        Reason.TIMED_OUT,
    }
)

Build = Callable[[SettingsStack], tuple[CompletionEngine, CallProbe]]
"""Makes an engine, and the probe in front of its providers."""


@dataclass(frozen=True, slots=True)
class HoleBench:
    """What all variants share."""

    root: Path
    """The repository's folder."""
    build: Build
    answers: dict[str, HoleResult] = field(default_factory=dict)
    """What came of all that was asked, by `HoleResult.asked`: nothing is asked twice.

    A model server that has the prompt in its cache would answer sooner, and now and then otherwise: llama.cpp's does,
    and says so (`cache_prompt` in its server's README).
    """


class HoleRunner:
    """An engine of its own: what is called while a hole is filled belongs to that hole."""

    def __init__(self, variant: Variant, bench: HoleBench) -> None:
        self._variant = variant
        self._bench = bench
        self._engine, self._probe = bench.build(variant.stack)
        self._engine.set_folders((bench.root.as_uri(),))

    @classmethod
    @asynccontextmanager
    async def opened(cls, variant: Variant, bench: HoleBench) -> AsyncIterator[HoleRunner]:
        """Yield a runner, and close it."""
        lane = cls(variant, bench)
        try:
            yield lane
        finally:
            await lane._engine.aclose()

    async def slots(self, hole: Hole) -> int | Skip:
        """Find the provider for a hole; give how many calls it takes at a time, or why there is none."""
        request = await self._request(hole)
        question = self._engine.question(request)
        self._engine.close(request.document.uri)
        return question if isinstance(question, Skip) else question.profile.max_in_flight

    async def fill(self, hole: Hole) -> HoleResult:
        """Ask for what is missing, and score the answer."""
        request = await self._request(hole)
        asked = self._asked(hole, request)
        if same := self._bench.answers.get(asked):
            self._engine.close(request.document.uri)
            return replace(same, variant=self._variant.key)
        request = replace(request, asked_at=self._engine.now())
        answer = await self._engine.complete(request)
        whole_s = self._engine.now() - request.asked_at
        # Closes what is read on for the lines behind it, too: that is no part of this answer. And it is forgotten
        # where the last request was in this file: the next hole's text stood there.
        self._engine.close(request.document.uri)
        cost = cost_of(self._probe.take(), whole_s)
        # In a thread: what is read for other holes meanwhile is timed.
        result = await asyncio.to_thread(result_of, self._variant.key, hole, answer, cost)
        if asked and not result.failed:
            result = replace(result, asked=asked)
            self._bench.answers[asked] = result
        return result

    def _asked(self, hole: Hole, request: CompletionRequest) -> str:
        question = self._engine.question(request)
        if isinstance(question, Skip):
            return ""
        return hashlib.sha256(repr((self._variant.asking, hole.id, question.prompt)).encode()).hexdigest()

    async def _request(self, hole: Hole) -> CompletionRequest:
        document = hole.document((self._bench.root / hole.source.path).as_uri())
        self._engine.open(document)
        await self._engine.ready(document)
        for slot in self._engine.registry.slots(document, self._variant.trigger):
            # What was learned of its tokens from the holes before would make this one's prompt depend on them.
            slot.tokens = TokenRate()
        await self._engine.prepare(document, hole.cut.start)
        number, now = self._engine.next_id(), self._engine.now()
        return CompletionRequest(number, document, hole.cut.start, self._variant.trigger, "command", now)


def cost_of(calls: Sequence[ProbedCall], whole_s: float) -> HoleCost:
    """Add up what was called for one hole; the first call is the one whose first text is waited for."""
    used = [call.used for call in calls]
    sums = [prices.cost_of(call.used, call.price) for call in calls if call.price]
    currencies = {call.price.currency for call in calls if call.price}
    is_priced = len(sums) == len(calls) and len(currencies) <= 1
    return HoleCost(
        model=calls[0].profile.model if calls else "",
        input_tokens=sum(usage.input_tokens or 0 for usage in used),
        output_tokens=sum(usage.output_tokens or 0 for usage in used),
        money=sum(sums) if is_priced else None,
        currency=next(iter(currencies), ""),
        first_s=calls[0].first_s if calls else None,
        whole_s=whole_s,
    )


def result_of(variant: str, hole: Hole, answer: Completion | Skip, cost: HoleCost) -> HoleResult:
    """Score an answer: all that it puts in, against all that stood there."""
    line, column = hole.cut.start
    expected, text, reason, found = hole.missing, "", "", NOTHING
    if isinstance(answer, Skip):
        reason = answer.detail or answer.reason.value
    else:
        holed = hole.document("").text
        # It may stand for some of the rest of the line as well, as where it closes a bracket itself.
        expected += holed.slice(answer.start, answer.end)
        text = answer.text
        filled = holed.edit(answer.start, answer.end, text)
        found = score(expected, text, keeps_syntax(hole.source.text, filled, hole.source.language))
    return HoleResult(
        variant=variant,
        hole=hole.id,
        place=f"{hole.source.path}:{line + 1}:{column + 1}",
        language=hole.source.language,
        kind=hole.cut.kind,
        spot=hole.cut.spot,
        expected=expected,
        answer=text,
        reason=reason,
        failed=isinstance(answer, Skip) and answer.reason in FAILURES,
        score=found,
        cost=cost,
    )
