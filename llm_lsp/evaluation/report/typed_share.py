"""Computes how much of the text added by commits a model would have typed, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_lsp.evaluation.report.results import HoleResult


@dataclass(frozen=True, slots=True)
class TypedShare:
    """What one variant would have typed."""

    variant: str
    share: float
    """Share of the lines' characters that are in lines whose completion begins with the whole line."""
    lines: int
    """Number of lines that were measured."""
    added_lines: int
    """Number of lines that the commits added."""
    money: float | None
    """For all added lines, extrapolated from those measured; None if a price is unknown."""
    currency: str

    @property
    def sentence(self) -> str:
        """Return a sentence for people."""
        cost = "" if self.money is None else f", for {self.money:.2f} {self.currency}".rstrip()
        return (
            f"{self.variant} would have typed {100 * self.share:.0f} % of the {self.added_lines} added lines{cost} "
            f"({self.lines} of them measured)"
        )


def typed_shares(
    results: Sequence[HoleResult], names: Mapping[str, str], added_lines: int
) -> list[TypedShare]:
    """Return the share of each variant, leaving out those with failed calls only."""
    found = []
    for key, name in names.items():
        mine = [result for result in results if result.variant == key and not result.failed]
        if mine:
            found.append(_share(name, mine, added_lines))
    return found


def _share(name: str, results: Sequence[HoleResult], added_lines: int) -> TypedShare:
    chars = sum(len(result.expected) for result in results)
    right = sum(len(result.expected) for result in results if result.score.first_line)
    money = [result.cost.money for result in results if result.cost.money is not None]
    return TypedShare(
        variant=name,
        share=right / chars if chars else 0.0,
        lines=len(results),
        added_lines=added_lines,
        money=sum(money) / len(results) * added_lines if len(money) == len(results) else None,
        currency=next((result.cost.currency for result in results if result.cost.currency), ""),
    )
