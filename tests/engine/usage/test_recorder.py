"""What the engine writes of its calls and suggestions, from the request to the row."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.generation import Usage
from llm_lsp.core.provider_profile import Price, Profile
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.core.usage.records import CHECKPOINTS_S, CallRecord, Subject
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.engine.usage.recorder import ENTRY_S, project_of
from llm_lsp.errors import AuthError, LlmLspError, UnreachableError
from llm_lsp.providers.base import Provider
from tests.doubles import FakeClock, ScriptedProvider, at_once, settle
from tests.engine.rig import ListedFinder, RecordingClient, same_stack
from tests.engine.usage.list_store import ListStore
from tests.usage_store.rows import NOON

URI = "file:///u/web/src/a.py"
PAID = Profile("mine", "m", "none", max_tokens=64, price=Price(1.0, 10.0))


MINE = {"mine": {"api": "openai-completions", "base_url": "http://127.0.0.1:1/v1", "model": "m"}}


class Rig:
    """An engine whose books a test can read, with one open document."""

    def __init__(
        self,
        profile: Profile = PAID,
        settings: Mapping[str, object] | None = None,
        others: Sequence[Provider] = (),
    ) -> None:
        self.clock = FakeClock()
        self.client = RecordingClient()
        self.provider = ScriptedProvider(profile)
        self.store = ListStore()
        stack = SettingsStack().with_layer(SettingsSource.USER_FILE, settings or {})
        finder = ListedFinder([self.provider, *others])
        world = EngineDependencies(
            finder,
            same_stack,
            self.clock,
            store=self.store,
            in_thread=at_once,
            utc=lambda: NOON + self.clock.now(),
        )
        self.engine = CompletionEngine(stack, world, self.client)
        self.engine.set_folders(("file:///u/web",))

    async def write(self, text: str) -> None:
        self.engine.open(Document(URI, "python", 1, Text.of(text)))
        await settle()

    def edit(self, start: Point, end: Point, text: str) -> None:
        document = self.engine.document(URI)
        assert document is not None
        changed = replace(document, version=document.version + 1, text=document.text.edit(start, end, text))
        self.engine.change(changed, (Edit(start, end, text),))

    def type(self, text: str) -> None:
        document = self.engine.document(URI)
        assert document is not None
        self.edit(document.text.end, document.text.end, text)

    def begin(self, trigger: Trigger = Trigger.MANUAL) -> asyncio.Task[Completion | Skip]:
        """Ask at the end of the text."""
        document = self.engine.document(URI)
        assert document is not None
        number, now = self.engine.next_id(), self.clock.now()
        request = CompletionRequest(number, document, document.text.end, trigger, "inline", now)
        return asyncio.create_task(self.engine.complete(request))

    async def ask(self, answer: str) -> Completion | Skip:
        """Ask by hand, and let the model answer with a finished text."""
        self.provider.replies.append(answer)
        return await self.begin()

    async def close(self) -> ListStore:
        await self.engine.aclose()
        return self.store


async def one_call(rig: Rig) -> CallRecord:
    store = await rig.close()
    assert len(store.calls) == 1
    return store.calls[0]


async def test_a_call_is_priced_and_named() -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask("1 + 1")
    call = await one_call(rig)

    assert call.subject == Subject("mine", "m", "python", "web")
    assert (call.outcome, call.trigger, call.estimated) == ("complete", "manual", True)
    assert call.usage.output_tokens == 2
    assert call.cost == pytest.approx(((call.usage.input_tokens or 0) + 10 * 2) / 1e6)


CLAIMS = [
    pytest.param(Usage(3, 1_000_000), (3, 3), id="written"),
    pytest.param(Usage(10**9, 3), (1, 3), id="read"),
    pytest.param(Usage(3, 3, cached_tokens=10**9), (3, 3), id="cached"),
    pytest.param(Usage(3, 3, cache_write_tokens=10**9), (3, 3), id="taken into the cache"),
    pytest.param(Usage(3, 65), (3, 3), id="one more than was allowed"),
]


@pytest.mark.parametrize("is_cut", [False, True], ids=["to the end", "cut"])
@pytest.mark.parametrize(("claim", "counted"), CLAIMS)
async def test_a_claim_that_cannot_be_costs_no_budget(
    claim: Usage, counted: tuple[int, int], is_cut: bool
) -> None:
    rig = Rig()
    await rig.write("x = ")
    asking = rig.begin()
    await settle()
    text = "1 + 1\n" if is_cut else "1 + 1"
    rig.provider.streams[0].finish(text, usage=claim)
    await asking
    call = await one_call(rig)

    assert call.usage.input_tokens in (counted[0], 2)
    assert call.usage.output_tokens in (2, counted[1])
    assert call.cost is not None
    assert call.cost <= (3 * 1.0 + 3 * 10.0) / 1e6


@pytest.mark.parametrize(
    "error",
    [pytest.param(UnreachableError("no"), id="not sent"), pytest.param(AuthError("no"), id="refused")],
)
@pytest.mark.parametrize("price", [PAID.price, None], ids=["a price", "no price"])
async def test_nobody_bills_what_was_refused(error: LlmLspError, price: Price | None) -> None:
    rig = Rig(replace(PAID, price=price))
    await rig.write("x = ")
    asking = rig.begin()
    await settle()
    rig.provider.streams[0].fail(error)
    await asking
    call = await one_call(rig)

    assert (call.outcome, call.tokens, call.cost) == ("failed", 0, 0)


async def test_a_call_that_nobody_waits_for_is_paid_as_far_as_it_came() -> None:
    rig = Rig()
    await rig.write("x = ")
    asking = rig.begin()
    await settle()
    rig.provider.streams[0].say("1 +")
    await settle()
    asking.cancel()
    await rig.clock.advance(5)
    call = await one_call(rig)

    assert (call.outcome, call.estimated, call.usage.output_tokens) == ("closed", True, 1)


async def test_where_closing_does_not_stop_the_bill_all_of_it_is_counted() -> None:
    rig = Rig(replace(PAID, cancel_stops_billing=False))
    await rig.write("x = ")
    rig.begin()
    await settle()
    stream = rig.provider.streams[0]
    stream.say("1 +")
    await settle()
    call = await one_call(rig)

    assert call.usage.output_tokens == stream.prompt.max_tokens


async def test_an_answer_that_was_known_is_no_call() -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask("1 + 1")
    rig.type("1")
    await rig.begin()
    store = await rig.close()

    assert len(store.calls) == 1
    assert store.counted() == {"called": 1, "known": 1, "keystrokes": 1}


async def test_an_answer_from_the_middle_of_its_call_is_a_call() -> None:
    rig = Rig()
    await rig.write("x = ")
    asking = rig.begin()
    await settle()
    rig.provider.streams[0].say("1 + 1\ny = ")
    assert isinstance(await asking, Completion)
    store = await rig.close()

    assert store.counted() == {"called": 1}
    assert [row.call for batch in store.batches for row in batch.traces] == [1]


async def test_why_nothing_was_shown_is_counted() -> None:
    rig = Rig()
    await rig.write("x = 1;")
    await rig.begin(Trigger.AUTOMATIC)
    store = await rig.close()

    assert store.counted() == {f"nothing: {Reason.STATEMENT_END.name}": 1}


async def test_who_waits_for_an_answer_does_not_wait_for_its_entry() -> None:
    counted: list[str] = []
    rig = Rig()
    await rig.write("x = ")
    rig.engine._recorder.ledger.count = lambda subject, what: counted.append(what)  # type: ignore[method-assign]
    rig.type("1")
    await rig.ask("+ 1")

    assert counted == []
    await rig.clock.advance(ENTRY_S)
    assert counted == ["keystrokes", "called"]


async def test_what_is_accepted_is_looked_for_again() -> None:
    rig = Rig()
    await rig.write("def f(a):\n    return ")
    shown = await rig.ask("total + 1")
    assert isinstance(shown, Completion)
    rig.type(shown.text)
    rig.engine.accepted(shown.id)
    await rig.clock.advance(ENTRY_S)
    await rig.clock.advance(CHECKPOINTS_S[0])
    rig.edit(Point(1, 11), Point(1, 20), "b")
    await rig.clock.advance(CHECKPOINTS_S[2])
    store = await rig.close()
    last = store.suggestions[-1]

    assert (last.fate, last.used_chars, last.kept_chars) == ("accepted", 9, (9, 0, 0))


async def test_of_several_answers_the_one_that_is_accepted_counts() -> None:
    rig = Rig(replace(PAID, max_in_flight=1, cancel_stops_billing=False))
    await rig.write("y = ")
    rig.provider.replies = ["first", "second"]
    document = rig.engine.document(URI)
    assert document is not None
    for number in range(2):
        request = CompletionRequest(100 + number, document, Point(0, 4), Trigger.MANUAL, "inline", 0.0)
        choices = await rig.engine.suggestions(request)
    rig.type("second")
    rig.engine.accepted(choices[1].id)
    store = await rig.close()

    assert [(row.fate, row.chars) for row in store.suggestions] == [("dismissed", 5), ("accepted", 6)]


async def test_a_suggestion_that_its_user_writes_past_is_dismissed() -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask("1 + 1")
    await rig.clock.advance(ENTRY_S)
    await rig.clock.advance(2.0)
    rig.type("y")
    store = await rig.close()

    assert [(row.fate, row.shown_s) for row in store.suggestions] == [("dismissed", 2.0)]


async def test_over_its_budget_nothing_is_asked_and_the_reason_is_said() -> None:
    rig = Rig(settings={"budget": {"tokens_per_day": 1}})
    await rig.write("x = ")
    await rig.ask("1 + 1")
    rig.type("2\n")
    result = await rig.ask("3")

    assert isinstance(result, Skip)
    assert result.reason is Reason.OVER_BUDGET
    assert "of today's 1 tokens are spent" in result.detail
    assert [call.outcome for call in (await rig.close()).calls] == ["complete"]


async def test_over_its_budget_a_provider_that_costs_nothing_answers() -> None:
    own = ScriptedProvider(Profile("local", "m", "none", local=True, free=True))
    rig = Rig(settings={"provider": "mine", "providers": MINE, "budget": {"tokens_per_day": 1}}, others=[own])
    await rig.write("x = ")
    await rig.ask("1 + 1")
    rig.type("2\n")
    await rig.begin()
    await settle()
    own.replies.append("3")
    result = await rig.begin()
    await rig.close()

    assert isinstance(result, Completion)
    assert (len(rig.provider.streams), len(own.streams)) == (1, 1)


async def test_the_last_request_is_explained_stage_by_stage() -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask("1 + 1")
    lines = rig.engine.explain().splitlines()
    await rig.close()

    assert lines[0] == "When you asked in python (web), ghost text of 5 characters was shown after 0 ms."
    assert [line.split("|")[1].strip() for line in lines[4:-1]] == [
        "earlier answers",
        "worth a request",
        "waiting",
        "code from elsewhere",
        "model",
        "fitting",
    ]
    assert "mine m: about " in lines[-1]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param("", "the model returned nothing", id="no text"),
        pytest.param("  ", "the model returned only white space", id="white space"),
        pytest.param("<|endoftext|>", "the filters removed the whole answer", id="a control token"),
        pytest.param(" <|endoftext|>", "the filters removed the whole answer", id="white space before it"),
    ],
)
async def test_an_answer_that_was_cut_whole_is_told_from_none(answer: str, why: str) -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask(answer)
    headline = rig.engine.explain().splitlines()[0]
    await rig.close()

    assert why in headline


async def test_before_the_first_request_there_is_nothing_to_explain() -> None:
    rig = Rig()

    assert rig.engine.explain() == "no requests yet"
    await rig.close()


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        pytest.param(("file:///u/web",), "web", id="its folder"),
        pytest.param(("file:///u/web/", "file:///u/web/src"), "src", id="the deepest"),
        pytest.param(("file:///u/we",), "", id="another that begins alike"),
        pytest.param(("file:///u",), "u", id="a home"),
        pytest.param((), "", id="none"),
    ],
)
def test_a_project_is_its_folders_name(folders: tuple[str, ...], name: str) -> None:
    assert project_of(URI, folders) == name


async def test_the_status_names_who_answers() -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask("1 + 1")
    status = rig.client.status_now
    await rig.close()

    assert (status.provider, status.model) == ("mine", "m")


async def test_what_is_in_flight_is_explained() -> None:
    rig = Rig()
    await rig.write("x = ")
    task = rig.begin()
    await rig.clock.advance(3.0)
    lines = rig.engine.explain().splitlines()
    rig.provider.streams[0].finish("1")
    await task
    rest = rig.engine.explain()
    await rig.close()

    assert lines[0] == "In flight: when you asked in python, ghost text has been awaited for 3.0 s."
    assert lines[4].endswith("| no earlier answer fits |")
    assert lines[-1].startswith("call in flight: mine m, manual, for 3.")
    assert "in flight" not in rest.lower()


async def test_a_cancelled_request_is_in_flight_no_more() -> None:
    rig = Rig()
    await rig.write("x = ")
    task = rig.begin()
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    first = rig.engine.explain()
    await rig.close()

    assert "In flight" not in first


@pytest.mark.parametrize("accepted", ["1", "1 + 1"], ids=["in part", "whole"])
async def test_an_answer_that_was_accepted_is_not_said_to_be_cut(accepted: str) -> None:
    rig = Rig()
    await rig.write("x = ")
    await rig.ask(f"{accepted}<|endoftext|>")
    rig.type(accepted)
    rig.provider.replies.append("")
    result = await rig.begin(Trigger.AUTOMATIC)
    await rig.close()

    assert result == Skip(Reason.ALL_TYPED)
