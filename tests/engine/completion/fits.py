"""Runs a case of `tests/golden/fits` through the engine: a text is typed, a scripted model answers, the user accepts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.core.generation import Finish
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Text
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import URI, Rig

CURSOR = "‸"
FOLDER = Path(__file__).parents[2] / "golden" / "fits"
SETTINGS = {"completion": {"length": "line"}}


@dataclass(frozen=True, slots=True)
class FitCase:
    """A text with a cursor, what a model writes there, and the whole texts that are right after accepting."""

    kind: str
    name: str
    language: str
    text: str
    answer: str
    wanted: tuple[str | None, ...]
    """None if nothing may be shown."""
    may_be_silent: bool = False
    """Whether showing nothing is accepted, though a text would be better."""
    trigger: Trigger = Trigger.AUTOMATIC
    finish: Finish = Finish.STOP


def cases_in(path: Path) -> list[FitCase]:
    """Read a file of cases, one a line."""
    return [_case(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def _case(fields: dict[str, object]) -> FitCase:
    want = fields["want"]
    wanted = tuple(want) if isinstance(want, list) else (want,)
    return FitCase(
        kind=str(fields["kind"]),
        name=str(fields["name"]),
        language=str(fields["language"]),
        text=str(fields["text"]),
        answer=str(fields["answer"]),
        wanted=wanted,
        may_be_silent=bool(fields.get("or_nothing")),
        trigger=Trigger(fields.get("trigger", "automatic")),
        finish=Finish(fields.get("finish", "stop")),
    )


async def accepted(case: FitCase) -> str | Skip:
    """Type the last character before the cursor, ask, and return the text after accepting, or why there is none."""
    provider = ScriptedProvider(Profile("scripted", "m", "none"))
    rig = Rig(provider, settings=SETTINGS)
    try:
        return await _accepted(case, rig, provider)
    finally:
        await rig.engine.aclose()


async def _accepted(case: FitCase, rig: Rig, provider: ScriptedProvider) -> str | Skip:
    before, _, after = case.text.partition(CURSOR)
    await rig.write(before[:-1] + after, language=case.language)
    start, point = Text.of(before[:-1]).end, Text.of(before).end
    text = Text.of(before + after)
    document = Document(URI, case.language, 2, text)
    if before:
        rig.engine.change(document, (Edit(start, start, before[-1]),))
    request = CompletionRequest(
        rig.engine.next_id(), document, point, case.trigger, "inline", rig.clock.now()
    )
    task = asyncio.create_task(rig.engine.complete(request))
    await settle()
    await rig.clock.advance(5)
    for stream in provider.streams:
        stream.finish(case.answer, case.finish)
    done = await task
    if isinstance(done, Completion):
        return str(text.edit(done.start, done.end, done.text))
    return done
