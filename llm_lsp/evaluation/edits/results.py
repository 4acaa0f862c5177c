"""Results per state, and their totals: precision, coverage, false alarms and keystrokes saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median

from llm_lsp.evaluation.edits.judgement import JudgedEdit
from llm_lsp.evaluation.report.results import HoleCost
from llm_lsp.evaluation.report.summary import ALL, interval

# Lines from a hunk within which an edit counts as near, and as visible without scrolling.
NEAR_LINES, AROUND_LINES = 2, 20
# Confidence thresholds of the curve.
THRESHOLDS = tuple(step / 20 for step in range(20))


@dataclass(frozen=True, slots=True)
class EditResult:
    """What was predicted in one state."""

    state: str
    path: str
    language: str
    order: str
    is_half_typed: bool
    is_open: bool
    """Whether the file had remaining hunks."""
    edits: tuple[JudgedEdit, ...]
    """The edits that may be shown, best first."""
    cost: HoleCost

    def shown(self, threshold: float, kind: str = ALL) -> JudgedEdit | None:
        """Return the edit that is shown automatically at a threshold; None if there is none, or it is of
        another kind.
        """
        edit = next((edit for edit in self.edits if edit.confidence >= threshold), None)
        return edit if edit and kind in (ALL, edit.kind) else None


@dataclass(frozen=True, slots=True)
class EditRow:
    """The totals of some states; a share is 0 if its denominator is."""

    group: str
    kind: str
    open: int
    """Number of states with remaining hunks."""
    finished: int
    shown: int
    """Number of edits shown in all states."""
    coverage: float
    """Share of the open states in which an edit was shown."""
    right: float
    """Share of the open states in which an exact edit was shown."""
    precision: float
    """Share of the shown edits that are exact; one shown in a finished state is not."""
    precision_low: float
    precision_high: float
    """Its 95 % confidence interval."""
    inside: float
    near: float
    around: float
    """Share of the shown edits inside of a hunk, within NEAR_LINES, and within AROUND_LINES of one."""
    similarity: float
    quiet: float
    """Share of the finished states in which nothing was shown."""
    reversal: float
    """Share of the shown edits that undo the user's own change."""
    keys_saved: int
    """In all states together."""
    input_tokens: int
    output_tokens: int
    money: float | None
    """For all states together; None if a price is unknown."""
    currency: str
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a confidence threshold would show."""

    threshold: float
    coverage: float
    right: float
    precision: float
    quiet: float


@dataclass(frozen=True, slots=True)
class EditReport:
    """A measurement of next edits."""

    repository: str
    commits: int
    seed: int
    threshold: float
    """The confidence from which edits are shown automatically."""
    results: Sequence[EditResult]

    @property
    def rows(self) -> list[EditRow]:
        """Return the totals: overall, by kind, order and language, and separately for half-typed states."""
        return [row(group, kind, list(found), self.threshold) for group, kind, found in self._groups()]

    @property
    def curve(self) -> list[CurvePoint]:
        """Return what each threshold would show, in the states with whole hunks."""
        whole = [result for result in self.results if not result.is_half_typed]
        rows = ((threshold, row(ALL, ALL, whole, threshold)) for threshold in THRESHOLDS)
        return [CurvePoint(at, each.coverage, each.right, each.precision, each.quiet) for at, each in rows]

    def as_mapping(self) -> dict[str, object]:
        """Return everything as JSON fields, without code."""
        return {
            "repository": self.repository,
            "commits": self.commits,
            "seed": self.seed,
            "threshold": self.threshold,
            "rows": [asdict(row) for row in self.rows],
            "curve": [asdict(point) for point in self.curve],
            "states": [asdict(result) for result in self.results],
        }

    def _groups(self) -> Iterator[tuple[str, str, Iterable[EditResult]]]:
        whole = [result for result in self.results if not result.is_half_typed]
        yield ALL, ALL, whole
        for kind in sorted({edit.kind for result in whole for edit in result.edits}):
            yield ALL, kind, whole
        for name, key in (("order", _order), ("language", _language)):
            for value in sorted({key(result) for result in whole}):
                yield f"{name} {value}", ALL, (result for result in whole if key(result) == value)
        if half := [result for result in self.results if result.is_half_typed]:
            yield "half typed", ALL, half


_Key = Callable[[EditResult], str]


def _order(result: EditResult) -> str:
    return result.order


def _language(result: EditResult) -> str:
    return result.language


def row(group: str, kind: str, results: Sequence[EditResult], threshold: float) -> EditRow:
    """Return the totals of some states, counting only edits of a kind unless that is ALL."""
    shown = [(result, edit) for result in results if (edit := result.shown(threshold, kind))]
    edits = [edit for _, edit in shown]
    n_open = sum(result.is_open for result in results)
    shown_open = [edit for result, edit in shown if result.is_open]
    precision = _share(edit.is_exact for edit in edits)
    low, high = interval(precision, len(edits))
    times = sorted(result.cost.whole_s for result in results) or [0.0]
    money = [result.cost.money for result in results if result.cost.money is not None]
    return EditRow(
        group=group,
        kind=kind,
        open=n_open,
        finished=len(results) - n_open,
        shown=len(edits),
        coverage=len(shown_open) / n_open if n_open else 0.0,
        right=sum(edit.is_exact for edit in shown_open) / n_open if n_open else 0.0,
        precision=precision,
        precision_low=low,
        precision_high=high,
        inside=_share(edit.distance == 0 for edit in edits),
        near=_share(edit.distance is not None and edit.distance <= NEAR_LINES for edit in edits),
        around=_share(edit.distance is not None and edit.distance <= AROUND_LINES for edit in edits),
        similarity=fmean(edit.similarity for edit in edits) if edits else 0.0,
        quiet=_share(not result.shown(threshold, kind) for result in results if not result.is_open),
        reversal=_share(edit.reverts for edit in edits),
        keys_saved=sum(edit.keys_saved for edit in edits),
        input_tokens=sum(result.cost.input_tokens for result in results),
        output_tokens=sum(result.cost.output_tokens for result in results),
        money=sum(money) if len(money) == len(results) else None,
        currency=next((result.cost.currency for result in results if result.cost.currency), ""),
        median_s=median(times),
        p95_s=times[math.ceil(0.95 * len(times)) - 1],
    )


def _share(facts: Iterable[bool]) -> float:
    found = list(facts)
    return fmean(found) if found else 0.0
