"""How the fuzz tests run: short and repeatable, or long and random.

`LLM_LSP_FUZZ=100 pytest tests/fuzz --timeout 0` tries a hundred times as much. What is found is kept as an @example.
"""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = int(os.environ.get("LLM_LSP_FUZZ", "1"))

fuzzed = settings(derandomize=TIMES == 1, max_examples=30 * TIMES, stateful_step_count=25)
