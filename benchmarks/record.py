"""Record what a real model answers at every typed position of a recorded session.

    python -m benchmarks.record http://127.0.0.1:8012 recording.jsonl --trace sveltecomponent.json.gz --start 6000 --keys 300

Each prompt is what the engine would send there, to llama.cpp's `/completion`. Reading ends with the first line that is not
what the user typed on, and else after LINES lines. Answers are added to the file as they come, so that a run may
be interrupted and started again. LLM_LSP_SERVE_KEY may hold the server's key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.recording import End, RecordedAnswer, Recording, Token, read_recording, to_line
from benchmarks.trace import TypingTrace, edit_in, point_in, read_trace
from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock, settle
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.providers.dialects.dialect import Settings
from llm_lsp.providers.dialects.llamacpp_infill import request as http_request
from tests.doubles import at_once

# Tokens and lines of an answer.
MAX_TOKENS, LINES = 48, 3
PROFILE = Profile(
    "recorded",
    "qwen2.5-coder-0.5b",
    "qwen-small",
    context_tokens=512,
    max_tokens=96,
    local=True,
    free=True,
    max_in_flight=1,
    forces_start=True,
)
"""The smallest code model as `llm-lsp model serve` serves it, with the shortest prompts that it is given."""


class _PromptOnly(SimulatedProvider):
    """Only its profile is used."""

    @property
    def profile(self) -> Profile:
        return PROFILE


async def prompts(trace: TypingTrace) -> AsyncIterator[tuple[int, int, RawPrompt]]:
    """Yield, for each typed edit, the number of edits, the cursor's offset and the prompt that the engine would send."""
    clock = VirtualClock()
    silent = Silent(_PromptOnly(clock, Model(), lambda text: ("", 0)))
    engine = CompletionEngine(
        SettingsStack(), EngineDependencies(silent, silent.with_folders, clock, in_thread=at_once), silent
    )
    text = trace.start
    document = Document(f"file:///session/{trace.name}", trace.language, 1, Text.of(text))
    engine.open(document)
    for idx, edit in enumerate(trace.edits):
        await clock.until(clock.now() + edit.gap_s)
        changes = []
        for patch in edit.patches:
            change = edit_in(text, patch)
            changes.append(change)
            changed = document.text.edit(change.start, change.end, change.text)
            document = Document(document.uri, document.language, document.version + 1, changed)
            text = patch.applied(text)
        engine.change(document, tuple(changes))
        if (typed := edit.typed) is None:
            continue
        cursor = typed.offset + len(typed.text)
        await settle()
        question = engine.question(
            CompletionRequest(
                engine.next_id(), document, point_in(text, cursor), Trigger.MANUAL, "inline", clock.now()
            )
        )
        if not isinstance(question, Skip) and isinstance(question.prompt, RawPrompt):
            yield idx + 1, cursor, question.prompt
    await engine.aclose()


class RecordedServer:
    """A llama.cpp server."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Answers are left in the middle, so no connection is used twice.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(base_url=url, timeout=600, limits=limits, headers=headers)

    async def answer(self, prompt: RawPrompt, ahead: str) -> tuple[tuple[Token, ...], End]:
        """Return the answer to a prompt after which `ahead` was typed, and why it ended."""
        sent = http_request(prompt, Settings())
        body = {**sent.body, "n_probs": 1, "n_predict": MAX_TOKENS}
        tokens: list[Token] = []
        async with self._client.stream("POST", sent.path, json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not line.startswith("data: "):
                    continue
                event = json.loads(line.removeprefix("data: "))
                tokens.extend(_tokens(event))
                if event.get("stop"):
                    return tuple(tokens), "limit" if event.get("stop_type") == "limit" else "stop"
                written = "".join(token.text for token in tokens).removeprefix(prompt.begins)
                if _is_enough(written, ahead):
                    return tuple(tokens), "line"
        raise ConnectionError("the stream was interrupted")


def _tokens(event: Any) -> list[Token]:
    """Return the tokens of an event; those of one character together."""
    text = event.get("content", "")
    found = [
        Token(each["token"], float(each["logprob"])) for each in event.get("completion_probabilities", ())
    ]
    if text == "".join(token.text for token in found):
        return [token for token in found if token.text]
    return [Token(text, sum(token.logprob for token in found))] if text else []


def _is_enough(written: str, ahead: str) -> bool:
    """Check whether a line was completed that is not what was typed, or enough lines were."""
    lines = written.rpartition("\n")[0]
    if not lines.strip():
        return False
    return not ahead.startswith(lines) or len(lines.strip("\n").split("\n")) >= LINES


async def record(server: RecordedServer, trace: TypingTrace, path: Path, known: Recording) -> None:
    """Add the answers that a file does not have."""
    began = time.perf_counter()
    n_asked = n_known = 0
    _drop_last_part(path)
    with path.open("a", encoding="utf-8") as file:
        async for n_edits, cursor, prompt in prompts(trace):
            if known.find(trace, n_edits) is not None:
                n_known += 1
                continue
            tokens, end = await server.answer(prompt, trace.ahead(n_edits, cursor))
            answer = RecordedAnswer(trace.first + n_edits, cursor, prompt.begins, tokens, end)
            known.add(answer)
            file.write(to_line(answer))
            file.flush()
            n_asked += 1
            told = f"{trace.first + n_edits}: {n_asked} asked, {n_known} known, {time.perf_counter() - began:.0f} s"
            print(told, file=sys.stderr)


def _drop_last_part(path: Path) -> None:
    """Remove a line that an interrupted run did not write whole."""
    if path.exists() and not (written := path.read_bytes()).endswith(b"\n"):
        path.write_bytes(written[: written.rfind(b"\n") + 1])


async def record_windows(url: str, path: Path, traces: Sequence[TypingTrace]) -> None:
    """Record windows of sessions, one after the other."""
    server = RecordedServer(url, os.environ.get("LLM_LSP_SERVE_KEY", ""))
    known = read_recording(path)
    for trace in traces:
        await record(server, trace, path, known)


def main() -> None:
    """Record until all positions are known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", metavar="URL", help="of a llama.cpp server")
    parser.add_argument("file", type=Path, metavar="FILE", help="to which answers are added")
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--start", type=int, nargs="+", default=[0], help="first edit of each window")
    parser.add_argument("--keys", type=int, default=300, help="edits of each window")
    parser.add_argument("--language", default="")
    options = parser.parse_args()
    starts, n_edits = options.start, options.keys
    traces = [read_trace(options.trace, first, n_edits, options.language) for first in starts]
    asyncio.run(record_windows(options.url, options.file, traces))


if __name__ == "__main__":
    main()
