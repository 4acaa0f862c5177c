"""The benchmarks run, and what they measure stays what it is for."""

from __future__ import annotations

import statistics
from pathlib import Path

import llm_lsp
from benchmarks.context import new_prompt_shares
from benchmarks.replay import Replay, report
from benchmarks.session import session_from
from benchmarks.world import Model

FILE = Path(llm_lsp.__file__).parent / "core" / "timing.py"


async def test_a_typist_is_served_with_few_calls() -> None:
    replay = Replay(session_from(FILE, "python", seed=1, n_keys=600), Model())
    await replay.run()

    figures = report(replay)

    assert figures["accepted_share"] > 0.2
    assert figures["calls_per_100_edits"] < 20
    assert figures["answered_at_once_share"] > 0.5


async def test_the_same_session_gives_the_same_figures() -> None:
    runs = []
    for _ in range(2):
        replay = Replay(session_from(FILE, "python", seed=2, n_keys=200), Model())
        await replay.run()
        runs.append({**report(replay), "slowest_at_once_ms": 0})

    assert runs[0] == runs[1]


async def test_most_of_a_prompt_was_in_the_one_before() -> None:
    shares = await new_prompt_shares(FILE.parent.parent.parent, n_keys=600)

    assert len(shares) > 10
    assert statistics.median(shares) <= 0.15
