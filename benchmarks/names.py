"""Measure what each source of context adds to prompts, on real code and without a model.

    python -m benchmarks.names FOLDER…

Holes are cut into the files of each folder as `llm-lsp eval` cuts them. Of the names in what is missing, the share that
stands in the prompt is given: a name that a model does not see it can only guess. The prompt's budget is the same for all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from benchmarks.replay import at_once
from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock, settle
from llm_lsp.config.stack import SettingsStack
from llm_lsp.config.trust import Source
from llm_lsp.core.exclude import Exclusion
from llm_lsp.core.similarity import words_of
from llm_lsp.core.types import CompletionRequest, RawPrompt, Skip, Trigger
from llm_lsp.engine.engine import CompletionEngine, World
from llm_lsp.evaluation.files import Repository
from llm_lsp.evaluation.holes import Hole, draw

VARIANTS: Mapping[str, Mapping[str, object]] = {
    "nothing": {"sources": []},
    "signatures": {"sources": ["signatures"]},
    "similar": {"sources": ["similar"]},
    "both": {},
}


async def share_of_names(root: Path, n_holes: int, settings: Mapping[str, object]) -> float:
    """Give the share of the names in what is missing that stand in the prompt."""
    clock = VirtualClock()
    silent = Silent(SimulatedProvider(clock, Model(), lambda text: ("", 0), "qwen"))
    stack = SettingsStack().with_layer(Source.USER_FILE, {"context": settings})
    engine = CompletionEngine(stack, World(silent, silent.with_folders, clock, in_thread=at_once), silent)
    engine.set_folders((root.as_uri(),))
    repository = Repository(root, Exclusion((), (root.as_uri(),)))
    n_names = n_seen = 0
    for hole in islice(draw(repository.paths(), repository.read, seed=1), n_holes):
        names = words_of(hole.missing.splitlines())
        n_names += len(names)
        n_seen += len(names & words_of((await _prompt(engine, root, hole)).splitlines()))
    await engine.aclose()
    return n_seen / max(1, n_names)


async def _prompt(engine: CompletionEngine, root: Path, hole: Hole) -> str:
    document = hole.document((root / hole.source.path).as_uri())
    engine.open(document)
    await settle()
    await engine.prepare(document, hole.cut.start)
    request = CompletionRequest(1, document, hole.cut.start, Trigger.AUTOMATIC, "inline", 0.0)
    question = engine.question(request)
    engine.close(document.uri)
    if isinstance(question, Skip):
        return ""
    assert isinstance(question.prompt, RawPrompt)
    return question.prompt.text


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--holes", type=int, default=120)
    options = parser.parse_args()
    found = {
        folder.name: {
            name: round(asyncio.run(share_of_names(folder.resolve(), options.holes, settings)), 3)
            for name, settings in VARIANTS.items()
        }
        for folder in options.folders
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
