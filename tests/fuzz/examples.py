"""How the fuzzing tests are run: quickly and always the same, or for long and always anew.

`LLM_LSP_FUZZ=50 pytest tests/fuzz --timeout 0` tries fifty times as much. What is found is kept as an @example.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("LLM_LSP_FUZZ", "1"))

fuzzed = settings(
    deadline=None,
    derandomize=TIMES == 1,
    max_examples=60 * TIMES,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow],
)
