"""The prompts that holes in real code would send: no model is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock, settle
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Fim
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.evaluation.corpus.hole_places import KINDS, Kind
from llm_lsp.evaluation.corpus.hole_selection import Hole, draw
from llm_lsp.evaluation.corpus.repository import Repository
from tests.doubles import at_once

VARIANTS: Mapping[str, Mapping[str, object]] = {
    "nothing": {"sources": []},
    "signatures": {"sources": ["signatures"]},
    "similar": {"sources": ["similar"]},
    "both": {"sources": ["signatures", "similar"]},
    "auto": {},
}
"""Settings under `[context]`, by what goes with a prompt."""


def holes_in(root: Path, n_holes: int, seed: int = 1, kinds: Sequence[Kind] = KINDS) -> list[Hole]:
    """Draw holes from a folder's files as `llm-lsp eval` does."""
    repository = Repository(root, Exclusion((), (root.as_uri(),)))
    return list(islice(draw(repository.paths(), repository.read, seed, kinds), n_holes))


async def prompts(
    root: Path, holes: Sequence[Hole], context: Mapping[str, object], fim: Fim = "qwen"
) -> AsyncIterator[tuple[Hole, RawPrompt]]:
    """Return each hole's prompt under some settings of `[context]`; a hole without a call has none."""
    clock = VirtualClock()
    silent = Silent(SimulatedProvider(clock, Model(), lambda text: ("", 0), fim))
    stack = SettingsStack().with_layer(SettingsSource.USER_FILE, {"context": context})
    engine = CompletionEngine(
        stack, EngineDependencies(silent, silent.with_folders, clock, in_thread=at_once), silent
    )
    engine.set_folders((root.as_uri(),))
    for hole in holes:
        document = hole.document((root / hole.source.path).as_uri())
        engine.open(document)
        await settle()
        await engine.prepare(document, hole.cut.start)
        request = CompletionRequest(1, document, hole.cut.start, Trigger.AUTOMATIC, "inline", 0.0)
        question = engine.question(request)
        engine.close(document.uri)
        if not isinstance(question, Skip):
            assert isinstance(question.prompt, RawPrompt)
            yield hole, question.prompt
    await engine.aclose()
