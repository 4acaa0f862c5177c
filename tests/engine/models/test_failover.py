"""Several providers in one engine: which one is called, fallbacks and retries; the clock stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

import pytest

from llm_lsp.config.settings import Config
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Price, Profile
from llm_lsp.core.request import Completion, Face, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.text import Point
from llm_lsp.engine.client.notifications import SAY_AGAIN_S
from llm_lsp.engine.models.circuit_breaker import OPEN_S, SPREAD
from llm_lsp.engine.models.provider_slot import WARM_AGAIN_S
from llm_lsp.errors import (
    AuthError,
    ContextTooLongError,
    ModelFileError,
    OverloadedError,
    RateLimitError,
    UnreachableError,
)
from llm_lsp.providers.base import Provider
from tests.doubles import ScriptedProvider, settle
from tests.engine.models.several import SETTINGS, Several, api
from tests.engine.rig import URI, Rig, reason_of, text_of
from tests.engine.usage.list_store import ListStore


@pytest.fixture
async def rig() -> AsyncIterator[Several]:
    rig = Several()
    await rig.write("y = ")
    yield rig
    await rig.engine.aclose()


async def test_a_request_goes_where_its_rule_says(rig: Several) -> None:
    await rig.write("y := ", "file:///p/a.go", "go")
    rig.named["strong"].replies, rig.main.replies = ["1\n"], ["2\n"]

    assert text_of(await rig.ask(Trigger.MANUAL, uri="file:///p/a.go")) == "1"
    assert text_of(await rig.ask(uri="file:///p/a.go")) == "2"


async def test_a_fallback_answers_at_the_first_failure(rig: Several) -> None:
    rig.spare.replies = ["0\n"]

    assert text_of(await rig.fails(UnreachableError("h: nothing listens"))) == "0"


async def test_no_provider_is_made_before_its_turn_comes(rig: Several) -> None:
    assert rig.by_name.searched == ["main"]


async def test_who_stands_in_answers_the_very_request_that_failed_and_those_that_follow(rig: Several) -> None:
    await rig.goes_offline()
    rig.spare.replies = ["1\n"]

    assert text_of(await rig.ask()) == "1"
    assert len(rig.main.streams) == 2
    assert rig.client.statuses[-1] == "Warning"


async def test_what_a_stand_in_said_is_known_at_once(rig: Several) -> None:
    await rig.goes_offline()
    rig.spare.replies = ["12\n"]
    await rig.ask()
    await rig.type("1")

    assert text_of(await rig.ask()) == "2"
    assert (len(rig.main.streams), len(rig.spare.streams)) == (2, 3)


async def test_one_real_request_finds_out_that_the_provider_is_back(rig: Several) -> None:
    await rig.goes_offline()
    await rig.clock.advance(OPEN_S * (1 + SPREAD))
    rig.main.replies = ["1\n"]

    assert text_of(await rig.ask()) == "1"
    await settle()  # The answer comes first.
    assert rig.client.statuses[-1] == "Normal"
    assert len(rig.spare.streams) == 2


async def test_a_bad_key_stops_its_provider_and_is_said_once(rig: Several) -> None:
    rig.spare.replies = ["1\n"]
    await rig.fails(AuthError("h refused the key"))
    for _ in range(3):
        assert text_of(await rig.ask()) == "1"

    assert len(rig.main.streams) == 1
    assert rig.client.shown == ["h refused the key"]


async def test_new_settings_end_what_a_bad_key_began(rig: Several) -> None:
    rig.spare.replies = ["0\n"]
    await rig.fails(AuthError("h refused the key"))
    providers = {"main": {**api("spare"), "model": "other"}, "spare": api(), "strong": api()}
    rig.engine._stack = rig.engine._stack.with_layer("user file", {**SETTINGS, "providers": providers})
    rig.engine._apply()
    await settle()
    rig.main.replies = ["1\n"]

    assert text_of(await rig.ask()) == "1"


async def test_nobody_stands_in_for_a_provider_that_is_only_being_found() -> None:
    rig = Rig("loading the model", settings=SETTINGS)
    await rig.write("y = ")

    assert reason_of(await rig.ask()) is Reason.LOADING
    assert rig.finder.searches == 1
    await rig.engine.aclose()


async def test_a_provider_that_cannot_be_made_has_its_stand_in() -> None:
    rig = Several(main=ModelFileError("its key is missing"))
    await rig.write("y = ")
    await rig.ask()
    await settle()
    rig.spare.replies = ["1\n"]

    assert text_of(await rig.ask()) == "1"
    assert rig.client.shown == ["its key is missing"]
    await rig.engine.aclose()


ALONE: Mapping[str, object] = {"provider": "main", "providers": {"main": api()}}


@pytest.fixture
async def alone() -> AsyncIterator[Several]:
    rig = Several(ALONE)
    await rig.write("y = ")
    yield rig
    await rig.engine.aclose()


def busy() -> OverloadedError:
    return OverloadedError("h is busy (503)", status=503)


async def failing(rig: Several, face: Face = "inline") -> asyncio.Task[Completion | Skip]:
    """Ask by hand and let the first call fail."""
    task = rig.ask(Trigger.MANUAL, face)
    await settle()
    rig.main.streams[-1].fail(busy())
    await settle()
    return task


async def test_a_failed_call_is_made_once_more_after_a_moment(alone: Several) -> None:
    task = alone.ask()
    await alone.clock.advance(0.1)
    alone.main.replies = ["1\n"]
    alone.main.streams[0].fail(busy())
    await alone.clock.advance(0.15)

    assert text_of(await task) == "1"
    assert len(alone.main.streams) == 2


async def test_a_newer_request_does_not_wait_for_a_retry(alone: Several) -> None:
    older = await failing(alone)
    alone.main.replies = ["1\n"]
    newer = alone.ask(Trigger.MANUAL)

    assert reason_of(await older) is Reason.SUPERSEDED
    assert text_of(await newer) == "1"
    await alone.clock.advance(5)
    assert len(alone.main.streams) == 2


async def test_a_failure_that_comes_after_a_newer_request_is_not_tried_again(alone: Several) -> None:
    older = alone.ask(Trigger.MANUAL)
    await settle()
    alone.main.streams[-1].fail(busy())
    newer = alone.ask(Trigger.MANUAL)
    await settle()
    alone.main.streams[-1].finish("1\n")

    assert reason_of(await older) in (Reason.SUPERSEDED, Reason.PROVIDER_FAILED)
    assert text_of(await newer) == "1"


async def test_a_document_that_closes_ends_a_retry(alone: Several) -> None:
    task = await failing(alone)
    alone.engine.close(URI)

    assert reason_of(await task) is Reason.CANCELLED


async def test_a_cancelled_request_is_not_tried_again(alone: Several) -> None:
    task = await failing(alone)
    task.cancel()
    await alone.clock.advance(5)

    assert len(alone.main.streams) == 1


async def test_a_command_outwaits_a_rate_limit(alone: Several) -> None:
    task = alone.ask(Trigger.MANUAL, "command")
    await settle()
    alone.main.streams[0].fail(RateLimitError("h: too many requests", 60))
    await alone.clock.advance(59)
    assert len(alone.main.streams) == 1
    alone.main.replies = ["1\n"]
    await alone.clock.advance(2)

    assert text_of(await task) == "1"


async def test_a_command_of_a_provider_in_a_bad_time_waits_for_its_end(alone: Several) -> None:
    await alone.fails(RateLimitError("h: too many requests", 60))
    task = alone.ask(Trigger.MANUAL, "command")
    await alone.clock.advance(59)
    assert len(alone.main.streams) == 1
    alone.main.replies = ["1\n"]
    await alone.clock.advance(1)

    assert text_of(await task) == "1"


async def test_a_prompt_over_the_window_is_halved(alone: Several) -> None:
    await alone.write("x = 1\n" * 1000 + "y = ", "file:///p/long.py")
    task = alone.ask(Trigger.MANUAL, uri="file:///p/long.py")
    await settle()
    alone.main.replies = ["1\n"]
    alone.main.streams[0].fail(ContextTooLongError("h: too long"))

    assert text_of(await task) == "1"
    long, short = (
        stream.prompt.text for stream in alone.main.streams if isinstance(stream.prompt, RawPrompt)
    )
    assert 0.3 < len(short) / len(long) < 0.6


async def test_trouble_that_comes_and_goes_is_not_said_each_time(alone: Several) -> None:
    for _ in range(3):
        await alone.fails(UnreachableError("h: nothing listens"))
        alone.main.replies = ["\n"]
        await alone.ask(Trigger.MANUAL, at=Point(0, 0))
    assert alone.client.shown == ["h: nothing listens"]

    await alone.clock.advance(SAY_AGAIN_S)
    await alone.fails(UnreachableError("h: nothing listens"))
    assert alone.client.shown == ["h: nothing listens"] * 2


async def test_a_document_that_opens_after_a_while_finds_a_warm_connection(rig: Several) -> None:
    await rig.write("", "file:///p/b.py")
    assert rig.main.warmed == 1
    await rig.clock.advance(WARM_AGAIN_S)
    await rig.write("", "file:///p/c.py")
    assert rig.main.warmed == 2


async def test_who_types_along_joins_the_call_that_finds_out_how_the_provider_is(alone: Several) -> None:
    for _ in range(2):
        await alone.fails(UnreachableError("h: nothing listens"))
    await alone.clock.advance(OPEN_S * (1 + SPREAD))
    alone.ask()
    await settle()
    alone.main.streams[-1].say("1")
    await alone.type("1")
    along = alone.ask()
    await settle()
    alone.main.streams[-1].finish("2\n")

    assert text_of(await along) == "2"
    assert len(alone.main.streams) == 3


async def test_explain_says_who_was_passed_over_and_why(rig: Several) -> None:
    rig.spare.replies = ["1\n"]
    await rig.fails(AuthError("h refused the key"))
    await rig.ask()

    assert "main is skipped: h refused the key" in rig.engine.explain()


async def test_what_was_excluded_while_a_call_failed_goes_to_nobody_else(rig: Several) -> None:
    await rig.write("x = ")
    task = rig.ask()
    await settle()
    rig.engine.configure("editor settings", {"privacy": {"exclude": ["*.py"]}})
    rig.main.streams[-1].fail(UnreachableError("h: nothing listens"))

    assert reason_of(await task) is Reason.EXCLUDED
    assert rig.spare.streams == []


async def test_an_answer_is_booked_under_the_provider_that_gave_it_with_its_price() -> None:
    store = ListStore()
    paid = Profile("spare", "s", "none", max_in_flight=2, price=Price(1.0, 2.0, currency="EUR"))
    rig = Several(spare=ScriptedProvider(paid, replies=("0\n", "1\n")), store=store)
    await rig.write("y = ")
    await rig.fails(UnreachableError("h: nothing listens"))
    await rig.engine.aclose()

    by_name = {call.subject.provider: call for call in store.calls}
    assert {name: call.subject.model for name, call in by_name.items()} == {"main": "m", "spare": "s"}
    assert (by_name["main"].outcome, by_name["main"].cost) == ("failed", 0.0)
    assert by_name["spare"].currency == "EUR"
    assert by_name["spare"].cost
    assert [row.subject.model for row in store.suggestions] == ["s"]
    assert [row.trace.subject.model for batch in store.batches for row in batch.traces] == ["s"]


async def test_a_fallback_for_a_document_that_may_not_leave_does_not_blame_the_first_provider() -> None:
    rig = Several(spare=ScriptedProvider(Profile("spare", "m", "none", local=True, max_in_flight=2)))
    await rig.write("y = ")
    rig.engine._models.failover._stays_here = lambda uri: Skip(
        Reason.EXCLUDED, "it goes to no remote provider"
    )
    spare = rig.by_name.found["spare"]
    assert isinstance(spare, ScriptedProvider)
    spare.replies = ["1\n", "1\n"]
    await rig.ask()
    await settle()

    assert text_of(await rig.ask()) == "1"
    await settle()
    assert "fails" not in rig.client.status_now.message
    assert "may not be used for this document" in rig.client.status_now.message
    await rig.engine.aclose()


async def test_an_answer_under_old_settings_blames_no_provider_of_the_new_ones(rig: Several) -> None:
    task = rig.ask()
    await settle()
    rig.engine.select_provider("strong")
    await settle()
    rig.main.streams[-1].finish("1\n")
    await task
    await settle()

    assert "answers instead" not in rig.client.status_now.message


async def test_the_end_of_an_old_search_does_not_end_the_progress_of_a_new_one() -> None:
    rig = Rig(finder=(finder := RestartedFinder()))
    await rig.write("y = ")
    await settle()
    slot = rig.engine.registry.slot("auto")
    assert slot.provider is finder.first
    slot.lost(finder.first)  # While its connection is still being opened.
    await settle()

    assert [(each.message, each.done) for each in rig.client.progressed] == [
        ("starting 1", False),
        ("", True),
        ("starting 2", False),
    ]
    assert rig.client.status_now.busy
    await rig.engine.aclose()


class NeverWarm(ScriptedProvider):
    async def warm(self) -> None:
        await asyncio.Event().wait()


class RestartedFinder:
    """Finds a provider at once, and starts the second for ever."""

    def __init__(self) -> None:
        self.first = NeverWarm()
        self.searches = 0

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        self.searches += 1
        report(f"starting {self.searches}")
        if self.searches > 1:
            await asyncio.Event().wait()
        return self.first


THINKER = Profile("main", "kimi-k3", "chat", always_thinks=True)


async def test_a_model_that_always_thinks_completes_nothing_and_says_why() -> None:
    lonely = Several({**SETTINGS, "providers": {"main": api(), "spare": api(), "strong": api()}})
    lonely.main.profile = THINKER
    await lonely.write("y = ")
    try:
        for trigger in (Trigger.AUTOMATIC, Trigger.MANUAL):
            assert reason_of(await lonely.ask(trigger)) is Reason.ALWAYS_THINKS
        assert lonely.main.streams == []
    finally:
        await lonely.engine.aclose()


async def test_a_fallback_answers_for_a_model_that_always_thinks(rig: Several) -> None:
    rig.main.profile = THINKER
    rig.spare.replies = ["0\n"]
    await rig.ask()
    await settle()  # The fallback is made at the first request that needs it.

    assert text_of(await rig.ask()) == "0"
    assert rig.main.streams == []
    await settle()
    assert "cannot stop thinking" in rig.client.status_now.message


async def test_a_user_may_let_a_model_think_for_manual_requests(rig: Several) -> None:
    rig.main.profile = replace(THINKER, thinks_by_hand=True)
    rig.main.replies = ["<fill>y = 1</fill>"]

    assert text_of(await rig.ask(Trigger.MANUAL)) == "1"


async def test_calls_about_one_document_share_an_affinity_that_names_nothing(rig: Several) -> None:
    await rig.write("z = ", "file:///p/secret_name.py")
    for uri in (URI, "file:///p/secret_name.py"):
        task = rig.ask(Trigger.MANUAL, uri=uri)
        await settle()
        rig.main.streams[-1].finish("1\n")
        await task
    task = rig.ask(Trigger.MANUAL, at=Point(0, 2))
    await settle()
    rig.main.streams[-1].finish("1\n")
    await task

    first, other, again = (stream.prompt.affinity for stream in rig.main.streams[-3:])
    assert first == again != other
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in (first, other))
