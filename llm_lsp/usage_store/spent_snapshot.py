"""What was spent, in a small file beside the books: a budget holds also where those are lost. Knows no SQL."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

from llm_lsp.core.usage.budget import SpentTotals
from llm_lsp.system import write_private


def save(path: Path, spent: SpentTotals) -> None:
    """Write it, whole or not at all; a disk that is full keeps the last one."""
    with contextlib.suppress(OSError):
        write_private(path, json.dumps(asdict(spent)).encode())


def load(path: Path) -> SpentTotals | None:
    """Read it; None where there is none, or no good one."""
    try:
        said = json.loads(path.read_bytes())
        return SpentTotals(
            date.fromisoformat(said["day"]).isoformat(),
            _money(said["money_today"]),
            _money(said["money_this_month"]),
            int(said["tokens_today"]),
            int(said["tokens_this_month"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _money(said: Mapping[str, float]) -> Mapping[str, float]:
    return {currency: float(amount) for currency, amount in said.items()}
