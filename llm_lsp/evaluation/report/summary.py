"""Summarizes results: shares, means and medians by variant, language and kind."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from llm_lsp.evaluation.report.results import HoleResult
from llm_lsp.evaluation.report.typed_share import TypedShare, typed_shares

# Standard deviations to each side for a 95 % confidence interval.
Z_95 = 1.96
ALL = "all"


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One variant's totals for one language and kind; shares refer to holes without failed calls."""

    variant: str
    """The variant's name."""
    language: str
    kind: str
    holes: int
    failed: int
    """Holes with failed calls; they are not part of any other figure."""
    exact: float
    exact_low: float
    exact_high: float
    """95 % confidence interval of the share of exact answers."""
    similarity: float
    first_line: float
    empty: float
    syntax: float | None
    """Share of the answers that keep the syntax valid; None without answers."""
    input_tokens: float
    output_tokens: float
    """Means."""
    money: float | None
    """Mean, in `currency`; None if no price is known."""
    currency: str
    first_s: float | None
    whole_s: float
    """Medians."""
    whole_p95_s: float


@dataclass(frozen=True, slots=True)
class VariantComparison:
    """A variant compared to the first one, hole by hole."""

    variant: str
    better: int
    """Holes for which its answer is closer to the original text."""
    worse: int
    same: int
    similarity_gain: float
    exact_gain: float


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """A measurement of completion."""

    repository: str
    """The folder's name."""
    names: Mapping[str, str]
    """The variants' names by key, in order."""
    results: Sequence[HoleResult]
    faults: Sequence[str]
    """A message for each variant that was stopped."""
    added_lines: int = 0
    """Number of lines that the commits added, from which the holes are taken; 0 for other holes."""

    @property
    def typed(self) -> list[TypedShare]:
        """Return for each variant how much of the added lines it would have typed."""
        return typed_shares(self.results, self.names, self.added_lines) if self.added_lines else []

    @property
    def rows(self) -> list[SummaryRow]:
        """Return the totals by language and kind, overall ones first."""
        return rows(self.results, self.names)

    @property
    def duels(self) -> list[VariantComparison]:
        """Compare every other variant with the first."""
        return duels(self.results, self.names)

    def as_mapping(self) -> dict[str, object]:
        """Return everything as JSON fields, without code."""
        return {
            "repository": self.repository,
            "variants": list(self.names.values()),
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "duels": [dataclasses.asdict(duel) for duel in self.duels],
            "typed": [dataclasses.asdict(share) for share in self.typed],
            "faults": list(self.faults),
            "holes": [self._hole_mapping(result) for result in self.results],
        }

    def _hole_mapping(self, result: HoleResult) -> dict[str, object]:
        told = {
            name: getattr(result, name) for name in ("place", "language", "kind", "spot", "reason", "failed")
        }
        scores, costs = dataclasses.asdict(result.score), dataclasses.asdict(result.cost)
        return {"variant": self.names[result.variant], **told, **scores, **costs}


def rows(results: Sequence[HoleResult], names: Mapping[str, str]) -> list[SummaryRow]:
    """Return the totals by language and kind for every variant, overall ones first.

    `names` has the variants' names by key, in order.
    """
    languages = sorted({result.language for result in results})
    groups = [(ALL, ALL), *((ALL, kind) for kind in _kinds(results))]
    if len(languages) > 1:
        groups += [(language, kind) for language in languages for kind in (ALL, *_kinds(results))]
    found = []
    for language, kind in groups:
        for key, name in names.items():
            mine = [
                result
                for result in results
                if result.variant == key and language in (ALL, result.language) and kind in (ALL, result.kind)
            ]
            if mine:
                found.append(_row(name, language, kind, mine))
    return found


def duels(results: Iterable[HoleResult], names: Mapping[str, str]) -> list[VariantComparison]:
    """Compare every other variant with the first, on the holes that both have answered."""
    by_variant: dict[str, dict[str, HoleResult]] = {key: {} for key in names}
    for result in results:
        if not result.failed and result.variant in by_variant:
            by_variant[result.variant][result.hole] = result
    first, *others = names
    return [_duel(names[key], by_variant[first], by_variant[key]) for key in others]


def interval(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share: Wilson's, valid for few cases and shares near 0 and 1.

    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
    """
    if not count:
        return 0.0, 1.0
    z2 = Z_95**2 / count
    middle = (share + z2 / 2) / (1 + z2)
    half = Z_95 / (1 + z2) * math.sqrt(share * (1 - share) / count + z2 / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def _row(variant: str, language: str, kind: str, results: Sequence[HoleResult]) -> SummaryRow:
    asked = [result for result in results if not result.failed]
    exact = _share(result.score.exact for result in asked)
    low, high = interval(exact, len(asked))
    kept = [result.score.syntax for result in asked if result.score.syntax is not None]
    money = [result.cost.money for result in asked if result.cost.money is not None]
    first_s = [result.cost.first_s for result in asked if result.cost.first_s is not None]
    whole_s = sorted(result.cost.whole_s for result in asked)
    return SummaryRow(
        variant=variant,
        language=language,
        kind=kind,
        holes=len(asked),
        failed=len(results) - len(asked),
        exact=exact,
        exact_low=low,
        exact_high=high,
        similarity=_mean(result.score.similarity for result in asked),
        first_line=_share(result.score.first_line for result in asked),
        empty=_share(not result.answer for result in asked),
        syntax=_share(kept) if kept else None,
        input_tokens=_mean(result.cost.input_tokens for result in asked),
        output_tokens=_mean(result.cost.output_tokens for result in asked),
        money=_mean(money) if len(money) == len(asked) else None,
        currency=next((result.cost.currency for result in asked if result.cost.currency), ""),
        first_s=median(first_s) if first_s else None,
        whole_s=median(whole_s) if whole_s else 0.0,
        whole_p95_s=whole_s[math.ceil(0.95 * len(whole_s)) - 1] if whole_s else 0.0,
    )


def _duel(name: str, first: dict[str, HoleResult], other: dict[str, HoleResult]) -> VariantComparison:
    pairs = [(first[hole].score, other[hole].score) for hole in first if hole in other]
    gains = [theirs.similarity - ours.similarity for ours, theirs in pairs]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    exact_gain = _mean(theirs.exact - ours.exact for ours, theirs in pairs)
    return VariantComparison(name, better, worse, len(gains) - better - worse, _mean(gains), exact_gain)


def _kinds(results: Iterable[HoleResult]) -> list[str]:
    return list(dict.fromkeys(result.kind for result in results))


def _share(facts: Iterable[bool]) -> float:
    return _mean(facts)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else 0.0
