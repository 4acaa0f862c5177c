"""Measure once how many threads a model runs best with on this machine, by short runs of the real server."""

from __future__ import annotations

import asyncio
import http.client
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llm_lsp.errors import ModelServerError
from llm_lsp.local.measured_speed import MeasuredSpeed, choose
from llm_lsp.local.model_servers import ModelServers, Report
from llm_lsp.local.server_connection import ServerConnection
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import ServerState

# About 110 tokens of code, and as many tokens of answer as an ordinary line has.
_PROMPT = "def area(width, height):\n    return width * height\n\n\n" * 8
_ANSWER_TOKENS = 16
# Seconds. A first run slower than this is no use for typing, whatever the threads.
_FIRST_DEADLINE_S = 60.0
# A run that takes this many times the best one is given up: it cannot win any more.
_GIVE_UP = 2.0


async def measure(options: HostOptions, threads: Sequence[int], report: Report) -> MeasuredSpeed:
    """Return the best speed of a model over some numbers of threads; each gets a server of its own for seconds.

    Raises ModelServerError where no run came to an end.
    """
    speeds: list[MeasuredSpeed] = []
    for count in threads:
        report(f"measuring {options.spec.model} with {count} thread{'s' if count > 1 else ''}")
        deadline_s = _GIVE_UP * min((speed.time_s for speed in speeds), default=_FIRST_DEADLINE_S / _GIVE_UP)
        speed = await _run(replace(options, threads=count), deadline_s)
        if speed:
            speeds.append(speed)
    if not speeds:
        raise ModelServerError(f"{options.spec.model} is too slow for this machine: take a smaller model")
    return choose(speeds)


async def _run(options: HostOptions, deadline_s: float) -> MeasuredSpeed | None:
    with tempfile.TemporaryDirectory(prefix="llm-lsp-") as folder:
        servers = ModelServers(Path(folder))
        # It ends by itself, should we be killed.
        state = await servers.join(
            replace(options, folder=folder, idle_s=_FIRST_DEADLINE_S), lambda line: None
        )
        try:
            return await asyncio.to_thread(_ask, state, deadline_s)
        finally:
            await asyncio.to_thread(servers.stop, state)


def _ask(state: ServerState, deadline_s: float) -> MeasuredSpeed | None:
    """Return the speed that the server itself counts; None if it takes longer than the deadline."""
    body = {"prompt": _PROMPT, "n_predict": _ANSWER_TOKENS, "ignore_eos": True, "cache_prompt": False}
    connection = ServerConnection(state.port, state.socket, deadline_s)
    try:
        connection.request("POST", "/completion", json.dumps(body), {"Authorization": f"Bearer {state.key}"})
        timings = json.loads(connection.getresponse().read())["timings"]
    except TimeoutError:
        return None
    except (OSError, http.client.HTTPException, ValueError, LookupError) as exc:
        raise ModelServerError(f"the server of {state.spec.model} ended while it was measured") from exc
    finally:
        connection.close()
    return MeasuredSpeed(state.threads, timings["prompt_per_second"], timings["predicted_per_second"])
