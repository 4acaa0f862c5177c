"""Measures once with how many threads a model runs best on this machine, by short runs of the real server."""

from __future__ import annotations

import asyncio
import http.client
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llm_lsp.errors import ModelServerError
from llm_lsp.local.measured_speed import MeasuredSpeed
from llm_lsp.local.model_servers import ModelServers, Report
from llm_lsp.local.server_connection import ServerConnection
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import ServerState

# Prefer fewer threads if they reach this share of the best speed: on a shared machine the small gain of one more
# thread is not reliable, and the editor needs the core.
_WORTH_A_THREAD = 0.9
# About 110 tokens of code; the answer is as long as an ordinary line.
_PROMPT = "def area(width, height):\n    return width * height\n\n\n" * 8
_ANSWER_TOKENS = 16
# Seconds. A model whose first run is slower is useless while typing, with any number of threads.
_FIRST_DEADLINE_S = 60.0
# A run is stopped when it has taken this many times as long as the best one.
_GIVE_UP = 2.0


def candidates(cores: int) -> list[int]:
    """List the numbers of threads worth measuring, ascending."""
    return sorted({threads for threads in (1, 2, cores // 2) if 1 <= threads <= cores})


def choose(speeds: Sequence[MeasuredSpeed]) -> MeasuredSpeed:
    """Return the fastest measurement, or one that is nearly as fast with fewer threads; `speeds` is not empty."""
    best = min(speed.time_s for speed in speeds)
    return min(
        (speed for speed in speeds if speed.time_s * _WORTH_A_THREAD <= best), key=lambda speed: speed.threads
    )


async def measure(options: HostOptions, threads: Sequence[int], report: Report) -> MeasuredSpeed:
    """Return a model's best speed over these numbers of threads; starts a server for each, for some seconds.

    Raises ModelServerError if no run finished.
    """
    speeds: list[MeasuredSpeed] = []
    for count in threads:
        report(f"measuring {options.spec.model} with {count} thread{'s' if count > 1 else ''}")
        deadline_s = _GIVE_UP * min((speed.time_s for speed in speeds), default=_FIRST_DEADLINE_S / _GIVE_UP)
        speed = await _run(replace(options, threads=count), deadline_s)
        if speed:
            speeds.append(speed)
    if not speeds:
        raise ModelServerError(f"{options.spec.model} is too slow on this machine: use a smaller model")
    return choose(speeds)


async def _run(options: HostOptions, deadline_s: float) -> MeasuredSpeed | None:
    with tempfile.TemporaryDirectory(prefix="llm-lsp-") as folder:
        servers = ModelServers(Path(folder))
        # The server ends by itself if this process is killed.
        state = await servers.join(
            replace(options, folder=folder, idle_s=_FIRST_DEADLINE_S), lambda line: None
        )
        try:
            return await asyncio.to_thread(_ask, state, deadline_s)
        finally:
            await asyncio.to_thread(servers.stop, state)


def _ask(state: ServerState, deadline_s: float) -> MeasuredSpeed | None:
    """Return the speed as counted by the server; None if it takes longer than the deadline."""
    body = {"prompt": _PROMPT, "n_predict": _ANSWER_TOKENS, "ignore_eos": True, "cache_prompt": False}
    connection = ServerConnection(state.port, state.socket, deadline_s)
    try:
        connection.request("POST", "/completion", json.dumps(body), {"Authorization": f"Bearer {state.key}"})
        timings = json.loads(connection.getresponse().read())["timings"]
    except TimeoutError:
        return None
    except (OSError, http.client.HTTPException, ValueError, LookupError) as exc:
        raise ModelServerError(f"the server for {state.spec.model} ended during the measurement") from exc
    finally:
        connection.close()
    return MeasuredSpeed(state.threads, timings["prompt_per_second"], timings["predicted_per_second"])
