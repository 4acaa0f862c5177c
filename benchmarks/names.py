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
from pathlib import Path

from benchmarks.prompts import VARIANTS, holes_in, prompts
from llm_lsp.core.context.similarity import words_of


async def share_of_names(root: Path, n_holes: int, context: Mapping[str, object]) -> float:
    """Return the share of the names in the missing text that occur in the prompt."""
    n_names = n_seen = 0
    async for hole, prompt in prompts(root, holes_in(root, n_holes), context):
        names = words_of(hole.missing.splitlines())
        n_names += len(names)
        n_seen += len(names & words_of(prompt.text.splitlines()))
    return n_seen / max(1, n_names)


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
            name: round(asyncio.run(share_of_names(folder.resolve(), options.holes, context)), 3)
            for name, context in VARIANTS.items()
        }
        for folder in options.folders
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
