"""Measure how likely a real model finds the missing text, with other files in the prompt and without.

    python -m benchmarks.likelihood http://127.0.0.1:8012 FOLDER… --fim qwen-small

Exact answers are few and say little; the likelihood of the true text tells prompts apart with a tenth of the holes. A
llama.cpp server gives it token by token: the prompt stays in its cache, so that each hole costs little more than one call.
Holes are lines and spans, cut as `llm-lsp eval` cuts them. Printed is, by folder and by what goes with the prompt, the
mean gain over the file alone in nats (one more is a text 2.7 times as likely), and how many holes gained or lost half a nat.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx

from benchmarks.prompts import VARIANTS, holes_in, prompts
from llm_lsp.core.provider_profile import Fim
from llm_lsp.evaluation.corpus.hole_selection import Hole

# Tokens of a missing text that count: a line's beginning tells most.
MOST_TOKENS = 24
# Most likely tokens that the server is asked for, and nats for one that is not among them.
TOP_TOKENS, WORST_NATS = 300, 14.0
# Most nats for one hole: an unpredictable text would outweigh all others.
WORST_HOLE_NATS = 60.0
NOTABLE_NATS = 0.5


class ModelServer(Protocol):
    """A model server that tells how unlikely a token is."""

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens, including control tokens."""
        ...

    def nats(self, before: Sequence[int], token: int) -> float:
        """Return how unlikely a token is after others."""
        ...


class LlamaServer:
    """The parts of llama.cpp's server that are needed."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=300)

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens, including control tokens."""
        body = {"content": text, "add_special": True, "parse_special": True}
        found: list[int] = self._ask("/tokenize", body)["tokens"]
        return found

    def nats(self, before: Sequence[int], token: int) -> float:
        """Return how unlikely a token is after others."""
        body = {
            "prompt": list(before),
            "n_predict": 1,
            "n_probs": TOP_TOKENS,
            "cache_prompt": True,
            "temperature": 0,
        }
        top = self._ask("/completion", body)["completion_probabilities"][0]["top_logprobs"]
        return next((-float(one["logprob"]) for one in top if one["id"] == token), WORST_NATS)

    def _ask(self, path: str, body: Mapping[str, object]) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()


def nats_of(server: ModelServer, prompt: str, missing: str) -> float:
    """Return how unlikely a text is after a prompt."""
    whole, known = server.tokens(prompt + missing), server.tokens(prompt)
    # The prompt's last token may be another one with the text behind it.
    start = next(
        (n for n, (one, other) in enumerate(zip(whole, known, strict=False)) if one != other), len(known)
    )
    places = range(start, min(len(whole), start + MOST_TOKENS))
    return min(WORST_HOLE_NATS, sum(server.nats(whole[:n], whole[n]) for n in places))


async def measure(
    server: ModelServer, root: Path, holes: Sequence[Hole], context: Mapping[str, object], fim: Fim
) -> dict[str, float]:
    """Return the nats of each hole."""
    return {
        hole.id: nats_of(server, prompt.text + prompt.begins, hole.missing)
        async for hole, prompt in prompts(root, holes, context, fim)
    }


def compared(alone: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Print what other files gain."""
    gains = [alone[hole] - nats for hole, nats in other.items() if hole in alone]
    return {
        "holes": len(gains),
        "nats gained": round(statistics.mean(gains), 2) if gains else 0.0,
        "better": sum(gain > NOTABLE_NATS for gain in gains),
        "worse": sum(gain < -NOTABLE_NATS for gain in gains),
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", metavar="URL", help="of a llama.cpp server")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--fim", default="qwen", help="the model's family")
    parser.add_argument("--holes", type=int, default=16)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--with", dest="names", nargs="+", default=["both"], choices=[*VARIANTS])
    options = parser.parse_args()
    server = LlamaServer(options.url)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for folder in options.folders:
        root = folder.resolve()
        holes = holes_in(root, options.holes, options.seed, ("line", "span"))
        by_name = {
            name: asyncio.run(measure(server, root, holes, VARIANTS[name], options.fim))
            for name in ["nothing", *options.names]
        }
        found[folder.name] = {name: compared(by_name["nothing"], by_name[name]) for name in options.names}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
