"""Holes are filled by the pipeline itself, each by one lane, as many at a time as the provider takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.generation import Usage
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Price, Profile
from llm_lsp.core.request import Trigger
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.errors import AuthError, LlmLspError
from llm_lsp.evaluation.corpus.hole_places import CutPoint
from llm_lsp.evaluation.corpus.hole_selection import CorpusFile, Hole
from llm_lsp.evaluation.report.results import HoleResult
from llm_lsp.evaluation.runs.call_probe import CallProbe
from llm_lsp.evaluation.runs.hole_queue import BATCH, MAX_FAILURES, HoleWork, in_batches, run
from llm_lsp.evaluation.runs.hole_runner import HoleBench
from llm_lsp.evaluation.runs.variants import Variant
from llm_lsp.providers.base import Provider
from tests.doubles import FakeClock, ScriptedProvider, ScriptedStream, at_once, settle
from tests.engine.rig import RecordingClient

ROOT = Path(__file__).parent.parent / "nowhere"
SOURCE = "def total(items):\n    count = len(items)\n    return count\n"


def hole(name: str = "a.py", line: int = 1) -> Hole:
    text = Text.of(SOURCE)
    end = Point(line, len(text.line(line)))
    return Hole(CorpusFile(name, "python", text), CutPoint("line", "body", Point(line, 4), end))


def holes(count: int) -> tuple[Hole, ...]:
    return tuple(hole(f"{idx}.py") for idx in range(count))


@dataclass
class Scene:
    """Providers that a test holds in its hands, and what came of the holes."""

    slots: int = 1
    fim: str = "none"
    missing: LlmLspError | None = None
    providers: list[ScriptedProvider] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    results: list[HoleResult] = field(default_factory=list)

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        if self.missing:
            raise self.missing
        profile = Profile(config.provider, "m", self.fim, max_in_flight=self.slots, price=Price(1, 2))
        self.providers.append(ScriptedProvider(profile))
        return self.providers[-1]

    def build(self, stack: SettingsStack) -> tuple[CompletionEngine, CallProbe]:
        probe = CallProbe(self.clock.now)
        world = EngineDependencies(
            probe.in_front_of(self), lambda stack, folders: stack, self.clock, in_thread=at_once
        )
        return CompletionEngine(stack, world, RecordingClient()), probe

    async def run(self, *works: HoleWork) -> list[str]:
        return await run(works, HoleBench(ROOT, self.build), self.results.append)

    @property
    def streams(self) -> list[ScriptedStream]:
        return [stream for provider in self.providers for stream in provider.streams]

    async def begun(self, count: int) -> list[ScriptedStream]:
        """Wait for so many calls, and for any that would come beside them; give those that are open."""
        while len(self.streams) < count:
            await settle()
        await settle()
        return self.open

    @property
    def open(self) -> list[ScriptedStream]:
        return [stream for stream in self.streams if not stream.released and not stream.closed]


def variant(
    name: str, provider: str = "auto", others: Mapping[str, object] = MappingProxyType({})
) -> Variant:
    table = {"api": "openai-completions", "base_url": "http://127.0.0.1:9/v1"}
    settings = {"providers": {"one": table, "two": table}, "provider": provider, **others}
    return Variant.of(name, SettingsStack().with_layer(SettingsSource.USER_FILE, settings), Trigger.AUTOMATIC)


async def test_an_answer_is_scored_with_what_it_took() -> None:
    scene = Scene()
    running = asyncio.create_task(scene.run(HoleWork(variant("a"), (hole(),))))
    [stream] = await scene.begun(1)
    await scene.clock.advance(0.25)
    stream.say("count = ")
    await settle()
    await scene.clock.advance(0.5)
    stream.finish("len(items)")

    assert await running == []
    [result] = scene.results
    assert (result.answer, result.expected, result.place) == (
        "count = len(items)",
        "count = len(items)",
        "a.py:2:5",
    )
    assert result.score.exact
    assert (result.cost.first_s, result.cost.whole_s, result.cost.model) == (0.25, 0.75, "m")
    assert result.cost.money == pytest.approx((result.cost.input_tokens + 2 * 5) / 1e6)
    assert result.cost.output_tokens == 5  # the API did not say: 18 characters, 3.5 a token


async def test_variants_that_ask_the_same_with_other_context_are_asked_once() -> None:
    scene = Scene()
    one, other = (variant(str(share), others={"context": {"share": share}}) for share in (0.0, 0.5))
    running = asyncio.create_task(scene.run(HoleWork(one, (hole(),)), HoleWork(other, (hole(),))))
    [stream] = await scene.begun(1)
    stream.finish("count = len(items)")

    assert await running == []
    first, second = scene.results
    assert (first.variant, second.variant) == (one.key, other.key)
    assert replace(second, variant=first.variant) == first
    assert len(scene.streams) == 1


async def test_variants_that_would_read_the_same_answer_otherwise_are_asked_each() -> None:
    scene = Scene()
    one, other = (variant(when, others={"completion": {"multiline": when}}) for when in ("auto", "never"))
    running = asyncio.create_task(scene.run(HoleWork(one, (hole(),)), HoleWork(other, (hole(),))))
    for count in (1, 2):
        [stream] = await scene.begun(count)
        stream.finish("x")

    assert await running == []


async def test_a_holes_prompt_does_not_depend_on_the_holes_before() -> None:
    scene = Scene()
    text = Text.of("".join(f"value_{idx} = compute({idx})\n" for idx in range(900)))
    cut = CutPoint("line", "body", Point(880, 0), Point(880, 9))
    asked = tuple(Hole(CorpusFile(f"{idx}.py", "python", text), cut) for idx in range(3))
    running = asyncio.create_task(scene.run(HoleWork(variant("a"), asked)))
    for count in (1, 2, 3):
        [stream] = await scene.begun(count)
        stream.finish("x", usage=Usage(5000, 1))
    await running

    prompts = {stream.prompt.text for stream in scene.streams if isinstance(stream.prompt, RawPrompt)}
    assert len(prompts) == 1


async def test_a_question_that_failed_is_asked_again() -> None:
    scene = Scene()
    one, other = (variant(str(share), others={"context": {"share": share}}) for share in (0.0, 0.5))
    running = asyncio.create_task(scene.run(HoleWork(one, (hole(),)), HoleWork(other, (hole(),))))
    [stream] = await scene.begun(1)
    stream.fail(AuthError("no"))
    [stream] = await scene.begun(2)
    stream.finish("count = len(items)")

    assert await running == []
    assert [result.failed for result in scene.results] == [True, False]


async def test_the_model_does_not_see_what_is_missing() -> None:
    scene = Scene()
    running = asyncio.create_task(scene.run(HoleWork(variant("a"), (hole(),))))
    [stream] = await scene.begun(1)
    prompt = stream.prompt
    stream.finish("x")
    await running

    assert isinstance(prompt, RawPrompt)
    assert prompt.text + prompt.begins == "def total(items):\n    "


async def test_the_model_does_not_see_what_is_missing_through_an_earlier_hole_of_the_file() -> None:
    scene = Scene(fim="qwen")
    running = asyncio.create_task(scene.run(HoleWork(variant("a"), (hole(line=1), hole(line=2)))))
    for stream_idx in range(2):
        await scene.begun(stream_idx + 1)
        scene.streams[stream_idx].finish("x")
    await running

    prompt = scene.streams[1].prompt
    assert isinstance(prompt, RawPrompt)
    assert "return count" not in prompt.text


async def test_as_many_are_filled_at_a_time_as_the_provider_takes() -> None:
    scene = Scene(slots=2)
    running = asyncio.create_task(scene.run(HoleWork(variant("a"), holes(3))))
    assert len(await scene.begun(2)) == 2

    scene.open[0].finish("x")
    assert len(await scene.begun(3)) == 2

    for stream in scene.open:
        stream.finish("x")
    await running
    assert sorted(result.place for result in scene.results) == ["0.py:2:5", "1.py:2:5", "2.py:2:5"]


async def test_variants_of_one_provider_take_turns() -> None:
    scene = Scene()
    a, b = variant("a", "one"), variant("b", "one", {"completion": {"multiline": "never"}})
    running = asyncio.create_task(scene.run(HoleWork(a, (hole(),)), HoleWork(b, (hole(),))))
    assert len(await scene.begun(1)) == 1

    scene.open[0].finish("x")
    [stream] = await scene.begun(2)
    stream.finish("x")
    await running
    assert [result.variant.split()[0] for result in scene.results] == ["a", "b"]


def test_variants_take_turns_after_a_few_holes_whoever_was_further() -> None:
    a, b, asked = variant("a"), variant("b"), holes(BATCH + 3)

    dealt = [
        (work.variant.name, len(work.holes))
        for work in in_batches([HoleWork(a, asked[4:]), HoleWork(b, asked)])
    ]

    assert dealt == [("a", 9), ("b", 10), ("b", 3)]


async def test_two_providers_work_at_the_same_time() -> None:
    scene = Scene()
    works = [HoleWork(variant("a", "one"), (hole(),)), HoleWork(variant("b", "two"), (hole(),))]
    running = asyncio.create_task(scene.run(*works))
    assert len(await scene.begun(2)) == 2

    for stream in scene.open:
        stream.finish("x")
    await running


async def test_a_model_that_is_not_there_is_said_once() -> None:
    scene = Scene(missing=AuthError("the key was refused"))

    assert await scene.run(HoleWork(variant("a"), holes(9))) == ["a: the key was refused"]
    assert scene.results == []


async def test_a_model_that_only_fails_is_given_up() -> None:
    scene = Scene()
    running = asyncio.create_task(scene.run(HoleWork(variant("a"), holes(20))))
    while not running.done():
        await settle()
        for stream in scene.open:
            stream.fail(AuthError("the key was refused"))
            stream.released = True

    # A key that was refused is not shown again.
    assert len(scene.streams) == 1
    assert len(scene.results) == MAX_FAILURES
    assert all(result.failed for result in scene.results)
    assert "the key was refused" in (await running)[0]


async def test_where_nothing_is_left_nobody_is_asked() -> None:
    scene = Scene()

    assert await scene.run(HoleWork(variant("a"), ())) == []
    assert scene.providers == []


def test_nobody_answers_in_place_of_who_is_measured() -> None:
    table = {"api": "openai-completions", "base_url": "http://127.0.0.1:9/v1", "fallback": ["local"]}
    stack = SettingsStack().with_layer(
        SettingsSource.USER_FILE, {"providers": {"one": table}, "provider": "one"}
    )

    measured = Variant.of("a", stack, Trigger.AUTOMATIC).stack.resolve()

    assert measured.config.providers["one"].fallback == ()
    assert measured.problems == ()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(variant("a", "two"), id="another setting"),
        pytest.param(variant("b", "one"), id="another name"),
        pytest.param(Variant.of("a", variant("a", "one").stack, Trigger.MANUAL), id="asked by hand"),
    ],
)
def test_results_of_one_variant_are_not_taken_for_another_ones(other: Variant) -> None:
    assert other.key != variant("a", "one").key
    assert variant("a", "one").key == variant("a", "one").key
