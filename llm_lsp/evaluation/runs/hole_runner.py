"""Completes holes one at a time, through the same pipeline as editors."""

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
from llm_lsp.evaluation.corpus.hole_selection import Hole
from llm_lsp.evaluation.report.results import HoleCost, HoleResult
from llm_lsp.evaluation.report.scoring import NOTHING, keeps_syntax, score
from llm_lsp.evaluation.runs.call_probe import CallProbe, ProbedCall
from llm_lsp.evaluation.runs.variants import Variant

# Reasons that say nothing about the quality of the answers.
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
"""Builds an engine, and the probe that measures its providers."""


@dataclass(frozen=True, slots=True)
class HoleBench:
    """What all variants share."""

    root: Path
    """The repository's folder."""
    build: Build
    answers: dict[str, HoleResult] = field(default_factory=dict)
    """Results by `HoleResult.asked`, so that no prompt is sent twice.

    A model server with the prompt in its cache would answer faster, and sometimes differently, as llama.cpp's
    documentation states (`cache_prompt` in its server's README).
    """


class HoleRunner:
    """Runs its own engine, so that every call made for a hole can be attributed to it."""

    def __init__(self, variant: Variant, bench: HoleBench) -> None:
        self._variant = variant
        self._bench = bench
        self._engine, self._probe = bench.build(variant.stack)
        self._engine.set_folders((bench.root.as_uri(),))

    @classmethod
    @asynccontextmanager
    async def opened(cls, variant: Variant, bench: HoleBench) -> AsyncIterator[HoleRunner]:
        """Yield a runner, and close it afterwards."""
        lane = cls(variant, bench)
        try:
            yield lane
        finally:
            await lane._engine.aclose()

    async def slots(self, hole: Hole) -> int | Skip:
        """Find a hole's provider; return how many simultaneous calls it allows, or why there is none."""
        request = await self._request(hole)
        question = self._engine.question(request)
        self._engine.close(request.document.uri)
        return question if isinstance(question, Skip) else question.profile.max_in_flight

    async def fill(self, hole: Hole) -> HoleResult:
        """Request the missing text, and score the answer."""
        request = await self._request(hole)
        asked = self._asked(hole, request)
        if same := self._bench.answers.get(asked):
            self._engine.close(request.document.uri)
            return replace(same, variant=self._variant.key)
        request = replace(request, asked_at=self._engine.now())
        answer = await self._engine.complete(request)
        whole_s = self._engine.now() - request.asked_at
        # Also ends reading ahead, which is not part of this answer, and makes the engine forget its last position in
        # the file, which may be where the next hole is.
        self._engine.close(request.document.uri)
        cost = cost_of(self._probe.take(), whole_s)
        # In a thread, so that it does not disturb the timing of other holes.
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
            # Reset what was learned about token counts, so that a prompt does not depend on the holes before it.
            slot.tokens = TokenRate()
        await self._engine.prepare(document, hole.cut.start)
        number, now = self._engine.next_id(), self._engine.now()
        return CompletionRequest(number, document, hole.cut.start, self._variant.trigger, "command", now)


def cost_of(calls: Sequence[ProbedCall], whole_s: float) -> HoleCost:
    """Add up the calls for one hole; the first call's first text counts for the time to first text."""
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
    """Score an answer: everything that it inserts, against everything that was there."""
    line, column = hole.cut.start
    expected, text, reason, found = hole.missing, "", "", NOTHING
    if isinstance(answer, Skip):
        reason = answer.detail or answer.reason.value
    else:
        holed = hole.document("").text
        # The answer may replace part of the rest of the line, for example a closing bracket.
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
