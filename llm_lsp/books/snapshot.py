"""What was spent, in a small file beside the books: a budget holds also where those are lost. Knows no SQL."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from llm_lsp.core.budget import Spent
from llm_lsp.system import write_private


def save(path: Path, spent: Spent) -> None:
    """Write it, whole or not at all; a disk that is full keeps the last one."""
    with contextlib.suppress(OSError):
        write_private(path, json.dumps(asdict(spent)).encode())


def load(path: Path) -> Spent | None:
    """Read it; None where there is none, or no good one."""
    try:
        return Spent(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
