"""Measure what context costs: at a request, while idle, and in new prompt for a model server to read.

    python -m benchmarks.context

A workspace of 2,000 files that import each other is made in a temporary folder, and its documents are looked around
one after another. Then a session is typed into a file of this repository, between its first and its last part.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from typing import TypeVar

from benchmarks.replay import EngineDesk, Scene
from benchmarks.session import Manuscript, session_from
from benchmarks.typist import Typist
from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.context.ranking import PreparedContext
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies

T = TypeVar("T")
N_FOLDERS, FILES_A_FOLDER = 40, 50
N_DOCUMENTS = 60


def write_workspace(root: Path) -> list[Path]:
    """Write packages of modules that use each other."""
    dice = random.Random(1)
    paths = []
    for folder_idx in range(N_FOLDERS):
        folder = root / f"package_{folder_idx}"
        folder.mkdir()
        for file_idx in range(FILES_A_FOLDER):
            path = folder / f"module_{file_idx}.py"
            path.write_text(_module(dice, folder_idx, file_idx), encoding="utf-8")
            paths.append(path)
    return paths


def _module(dice: random.Random, folder_idx: int, file_idx: int) -> str:
    others = dice.sample(range(FILES_A_FOLDER), 6)
    far = dice.randrange(N_FOLDERS)
    imports = [f"from .module_{other} import Record{other}, load_{other}" for other in others]
    imports.append(f"from package_{far}.module_{file_idx} import Record{file_idx} as Far")
    bodies = [
        f"def step_{n}(record: Record{other}, limit: int = {n}) -> list[Record{other}]:\n"
        f'    """Take step {n} of package {folder_idx}."""\n'
        f"    found = [load_{other}(key) for key in record.keys if key < limit]\n"
        f"    return sorted(found, key=lambda each: each.weight * {n})\n"
        for n, other in enumerate(others * 5)
    ]
    own = (
        f"class Record{file_idx}:\n    keys: list[int]\n    weight: float\n\n\n"
        f"def load_{file_idx}(key: int) -> Record{file_idx}:\n    return Record{file_idx}(key)\n"
    )
    return "\n".join(imports) + "\n\n\n" + own + "\n\n" + "\n\n".join(bodies)


async def time_context(root: Path, paths: Sequence[Path]) -> dict[str, float]:
    """Open documents one after another, and time what is prepared for each and what a request then takes."""
    clock = VirtualClock()
    silent = Silent(SimulatedProvider(clock, Model(), lambda prompt: ("", 0), "qwen"))
    idle_ms: list[float] = []

    async def timed(work: Callable[[], T]) -> T:
        began = time.perf_counter()
        done = work()
        if isinstance(done, PreparedContext):
            idle_ms.append(1e3 * (time.perf_counter() - began))
        return done

    engine = CompletionEngine(
        SettingsStack(), EngineDependencies(silent, silent.with_folders, clock, in_thread=timed), silent
    )
    engine.set_folders((root.as_uri(),))
    request_ms = []
    for path in random.Random(2).sample(list(paths), N_DOCUMENTS):
        document = Document(path.as_uri(), "python", 1, Text.of(path.read_text(encoding="utf-8")))
        point = Point(document.text.line_count // 2, 0)
        engine.open(document)
        await clock.until(clock.now() + 1)
        await engine.prepare(document, point)
        began = time.perf_counter()
        request = CompletionRequest(1, document, point, Trigger.MANUAL, "inline", clock.now())
        question = engine.question(request)
        request_ms.append(1e3 * (time.perf_counter() - began))
        assert not isinstance(question, Skip)
        assert question.context.snippets
    await engine.aclose()
    return {
        "request_p50_ms": round(statistics.median(request_ms), 2),
        "request_p95_ms": round(_p95(request_ms), 2),
        "idle_p50_ms": round(statistics.median(idle_ms), 1),
        "idle_p95_ms": round(_p95(idle_ms), 1),
    }


async def new_prompt_shares(repository: Path, n_keys: int) -> list[float]:
    """Type into a file of a repository; give the share of each call's prompt that the call before did not have."""
    path = repository / "llm_lsp" / "core" / "response" / "postprocess.py"
    session = session_from(path, "python", seed=1, n_keys=n_keys, tail_share=0.25)
    manuscript = Manuscript(session)
    desk = EngineDesk(manuscript, Model(), Scene(path.as_uri(), (repository.as_uri(),), "qwen"))
    await Typist(manuscript, desk).run()
    await desk.engine.aclose()
    prompts = [stream.prompt for stream in desk.provider.streams]
    texts = [prompt.text for prompt in prompts if isinstance(prompt, RawPrompt)]
    return [_new_share(before, text) for before, text in pairwise(texts)]


def _new_share(before: str, text: str) -> float:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(before, text, strict=False))
    return 1 - sum(1 for _ in same) / len(text)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        figures = asyncio.run(time_context(root, write_workspace(root)))
    shares = asyncio.run(new_prompt_shares(Path(__file__).resolve().parent.parent, options.keys))
    figures |= {
        "new_prompt_median": round(statistics.median(shares), 3),
        "new_prompt_mean": round(statistics.mean(shares), 3),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
