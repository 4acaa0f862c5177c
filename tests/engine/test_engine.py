"""One completion from the request to the final text, with a scripted model and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Face, Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point
from llm_lsp.engine.completion.menu_deadline import HOLD_S
from llm_lsp.engine.completion.scheduler import GRACE_S
from llm_lsp.engine.models.health import ProviderHealth
from llm_lsp.engine.models.provider_slot import SEARCH_AGAIN_S
from llm_lsp.errors import (
    ConfigError,
    LlmLspError,
    ModelFileError,
    NoModelError,
    RateLimitError,
    UnreachableError,
)
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import (
    URI,
    Rig,
    SlowFinder,
    reason_of,
    text_of,
)

API = {"api": "openai-completions", "base_url": "https://h.example/v1", "model": "m"}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.engine.aclose()


async def test_a_completion_comes_from_the_model(rig: Rig) -> None:
    await rig.write("x = 1\ny = ")
    task = rig.ask()
    await settle()
    rig.provider.streams[0].finish("x + 1\n")

    result = await task

    assert isinstance(result, Completion)
    assert (result.text, result.start, result.end) == ("x + 1", Point(1, 4), Point(1, 4))
    prompt = rig.provider.streams[0].prompt
    assert isinstance(prompt, RawPrompt)
    assert prompt.text.startswith("x = 1\ny =")


async def test_a_project_s_statement_of_its_indentation_wins_over_the_client_s(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / ".editorconfig").write_text("root = true\n[*.js]\nindent_size = 3\n")
    uri = (tmp_path / "a.js").as_uri()
    await rig.write("if (a) {\n", uri, "javascript")
    await rig.write("if (a) {\n", "untitled:b", "javascript")
    rig.provider.replies = ["    go();\n", "    go();\n"]

    def request(uri: str) -> CompletionRequest:
        document = rig.engine.document(uri)
        assert document is not None
        return CompletionRequest(
            1, document, Point(1, 0), Trigger.MANUAL, "inline", rig.clock.now(), indent="  "
        )

    assert text_of(await rig.engine.complete(request(uri))) == "   go();"
    assert text_of(await rig.engine.complete(request("untitled:b"))) == "  go();"


async def test_the_same_place_is_answered_from_the_cache_before_any_wait(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x + 1\n"]
    await rig.ask()

    task = rig.ask()
    await asyncio.sleep(0)

    assert text_of(task.result()) == "x + 1"
    assert len(rig.provider.streams) == 1


async def test_typing_along_needs_no_call(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x + 1\n"]
    await rig.ask()
    await rig.type("x +")

    assert text_of(await rig.ask()) == " 1"
    assert len(rig.provider.streams) == 1


async def test_the_rest_of_a_word_that_is_typed_along_is_no_echo_of_its_beginning(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["dedent(x)\n"]
    await rig.ask()
    await rig.type("de")

    assert text_of(await rig.ask()) == "dent(x)"


SMALL = Profile("scripted", "m-0.5b", "none", max_in_flight=2, is_small=True)


async def test_a_phrase_is_shown_while_the_rest_of_the_line_is_read() -> None:
    rig = Rig(profile=SMALL)
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    rig.provider.streams[0].say("first + second * third")

    assert text_of(await task) == "first + second"
    await rig.type("first + second")
    rig.provider.streams[0].finish("\n")
    await settle()
    assert text_of(await rig.ask()) == " * third"
    assert len(rig.provider.streams) == 1
    await rig.engine.aclose()


async def test_what_was_shown_of_a_line_is_known_when_its_user_comes_back() -> None:
    rig = Rig(profile=SMALL)
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    rig.provider.streams[0].say("first + second * third")
    assert text_of(await task) == "first + second"

    await rig.type("z")
    rig.ask()
    await settle()
    document = rig.engine.document(URI)
    assert document is not None
    end = document.text.end
    edit = Edit(Point(end.line, end.column - 1), end, "")
    text = document.text.edit(edit.start, edit.end, "")
    rig.engine.change(Document(URI, "python", 9, text), (edit,))

    assert text_of(await rig.ask()) == "first + second"
    assert rig.provider.streams[0].closed
    # A request for the whole line calls a model.
    rig.provider.replies = ["whole + line\n"]
    assert text_of(await rig.ask(Trigger.MANUAL)) == "whole + line"
    await rig.engine.aclose()


@pytest.mark.parametrize(
    ("settings", "trigger", "face"),
    [
        pytest.param({}, Trigger.MANUAL, "inline", id="by hand"),
        pytest.param({"completion": {"menu": "always"}}, Trigger.AUTOMATIC, "menu", id="in a menu"),
        pytest.param({"completion": {"length": "line"}}, Trigger.AUTOMATIC, "inline", id="where it is set"),
    ],
)
async def test_a_line_is_shown_whole(settings: Mapping[str, object], trigger: Trigger, face: Face) -> None:
    rig = Rig(settings=settings)
    await rig.write("y = ")
    rig.provider.replies = ["first + second * third\n"]

    assert text_of(await rig.ask(trigger, face)) == "first + second * third"
    await rig.engine.aclose()


async def test_the_longer_a_model_is_right_the_more_is_shown() -> None:
    rig = Rig(profile=SMALL)
    await rig.write("y = ")
    rig.provider.replies = [" + ".join("abcdefghijklmnop") + "\n"]
    first = text_of(await rig.ask())
    for word in " + ".join("abcdefghijklmnop").split(" ")[:-1]:
        await rig.type(f"{word} ")
        rig.ask()
        await settle()
    rig.provider.replies = [" + ".join("ponmlkjihgfedcba") + "\n"]
    await rig.type("\nz = ")
    await rig.clock.advance(1)

    assert len(text_of(await rig.ask())) > len(first)
    await rig.engine.aclose()


async def test_where_a_model_is_soon_wrong_little_is_shown(rig: Rig) -> None:
    rig.provider.replies = ["a + b + c + d\n"] * 12
    await rig.write("")
    shown = []
    for number in range(12):
        await rig.clock.advance(1)
        await rig.type(f"y{number} = ")
        shown.append(text_of(await rig.ask()))
        await rig.type("other")
        asked = rig.ask()
        await settle()
        asked.cancel()
        await rig.type("\n")

    assert shown[0] == "a + b + c + d"
    assert shown[-1] == "a"


async def test_an_automatic_request_inside_a_word_waits_for_the_next_key(rig: Rig) -> None:
    await rig.write("y = ")
    await rig.type("a")
    await rig.clock.advance(0.1)
    await rig.type("b")
    rig.ask()

    await settle()
    assert rig.provider.streams == []
    await rig.clock.advance(0.4)
    assert len(rig.provider.streams) == 1


async def test_a_manual_request_waits_for_nothing_and_passes_the_gates(rig: Rig) -> None:
    await rig.write("foo(a) + bar")
    rig.ask(Trigger.MANUAL, at=Point(0, 6))
    await settle()

    assert len(rig.provider.streams) == 1


async def test_a_gate_names_its_reason(rig: Rig) -> None:
    await rig.write("foo(a) + bar")

    assert reason_of(await rig.ask(at=Point(0, 8))) is Reason.MID_LINE


async def test_a_newer_request_answers_the_older_at_once(rig: Rig) -> None:
    await rig.write("y = ")
    older = rig.ask()
    await settle()
    rig.ask(at=Point(0, 0))

    assert reason_of(await older) is Reason.SUPERSEDED


async def test_a_cancelled_request_is_cancelled_upstream(rig: Rig) -> None:
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    task.cancel()

    await rig.clock.advance(GRACE_S)

    assert rig.provider.streams[0].closed


async def test_secret_files_are_not_sent(rig: Rig) -> None:
    await rig.write("KEY=", "file:///p/.env")

    assert reason_of(await rig.ask(uri="file:///p/.env")) is Reason.EXCLUDED
    assert rig.provider.streams == []


async def test_while_the_model_loads_requests_are_answered_empty_at_once() -> None:
    rig = Rig("loading the model")
    await rig.write("y = ")

    assert reason_of(await rig.ask()) is Reason.LOADING
    assert [progress.message for progress in rig.client.progressed] == ["loading the model"]
    await rig.engine.aclose()
    assert rig.client.progressed[-1].done


async def test_without_a_model_one_message_says_what_helps() -> None:
    rig = Rig(
        ModelFileError("no model; run: llm-lsp model pull"),
        ModelFileError("no model; run: llm-lsp model pull"),
    )
    await rig.write("y = ")

    assert reason_of(await rig.ask()) is Reason.NO_PROVIDER
    await rig.clock.advance(SEARCH_AGAIN_S)
    await rig.ask()
    await settle()

    assert rig.finder.searches == 2
    assert rig.client.shown == ["no model; run: llm-lsp model pull"]
    await rig.engine.aclose()


async def test_a_model_that_turned_up_later_is_found() -> None:
    provider = ScriptedProvider(replies=("1\n",))
    rig = Rig(ModelFileError("no model"), provider)
    await rig.write("y = ")
    await rig.ask()
    await rig.clock.advance(SEARCH_AGAIN_S)
    await rig.ask()
    await settle()

    assert text_of(await rig.ask()) == "1"
    await rig.engine.aclose()


async def test_a_failed_call_is_said_once_and_not_cached(rig: Rig) -> None:
    await rig.write("y = ")
    for _ in range(3):
        task = rig.ask(Trigger.MANUAL)
        await settle()
        rig.provider.streams[-1].fail(LlmLspError("h: busy; wait"))
        assert reason_of(await task) is Reason.PROVIDER_FAILED

    assert len(rig.provider.streams) == 3
    assert rig.client.shown == ["h: busy; wait"]


async def test_a_server_that_went_away_is_searched_anew() -> None:
    first, second = ScriptedProvider(), ScriptedProvider(replies=("1\n",))
    rig = Rig(first, second)
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    first.streams[0].fail(UnreachableError("127.0.0.1: connection refused"))
    await task
    await settle()

    assert text_of(await rig.ask()) == "1"
    await rig.engine.aclose()


async def test_new_settings_take_effect_and_forget_old_answers(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x\n", "z\n"]
    await rig.ask()
    rig.engine.configure("editor settings", {"completion": {"debounceMs": 100}})

    assert text_of(await rig.ask()) == "z"


async def test_a_bad_setting_gives_one_message_and_the_default(rig: Rig) -> None:
    for _ in range(2):
        rig.engine.configure("editor settings", {"completoin": {}})

    assert len(rig.client.shown) == 1
    assert "completion" in rig.client.shown[0]


async def test_switched_off_and_snoozed(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x\n"]

    assert rig.engine.toggle() is False
    assert reason_of(await rig.ask()) is Reason.DISABLED
    assert rig.engine.toggle() is True
    rig.engine.snooze(1)
    assert reason_of(await rig.ask()) is Reason.DISABLED
    rig.clock.time += 61
    assert text_of(await rig.ask()) == "x"


async def test_toggling_ends_a_snooze(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x\n"]
    rig.engine.snooze(1)

    assert rig.engine.toggle() is True
    assert text_of(await rig.ask()) == "x"
    assert rig.engine.toggle() is False


async def test_menus_stay_empty_for_clients_with_inline_completion(rig: Rig) -> None:
    await rig.write("y = ")
    rig.provider.replies = ["x\n"]

    assert reason_of(await rig.ask(face="menu")) is Reason.MENU_OFF
    rig.client.has_inline = False
    assert text_of(await rig.ask(face="menu")) == "x"


async def test_a_provider_that_was_not_enabled_cannot_be_selected(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="provider add codestral"):
        rig.engine.select_provider("codestral")


async def test_explain_says_why_nothing_was_shown(rig: Rig) -> None:
    await rig.write("foo()")
    await rig.ask()

    assert "the line ends a statement" in rig.engine.explain()


async def test_closing_a_document_answers_its_requests(rig: Rig) -> None:
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    rig.engine.close(URI)

    assert reason_of(await task) is Reason.CANCELLED


async def test_a_local_provider_has_one_call_at_a_time() -> None:
    provider = ScriptedProvider(Profile("local", "m", "none", local=True, max_in_flight=1))
    rig = Rig(provider)
    await rig.write("y = ")
    await rig.write("z = ", "file:///p/b.py")
    rig.ask()
    rig.ask(uri="file:///p/b.py")
    await settle()

    assert len(provider.streams) == 1
    await rig.engine.aclose()


async def test_with_a_free_model_what_comes_after_a_suggestion_is_there_when_it_is_accepted() -> None:
    provider = ScriptedProvider(Profile("own", "m", "none", free=True, max_in_flight=1), ("x +",))
    rig = Rig(provider)
    await rig.write("y = ")
    assert text_of(await rig.ask()) == "x +"
    await settle()

    assert len(provider.streams) == 2
    prompt = provider.streams[1].prompt
    assert isinstance(prompt, RawPrompt)
    assert prompt.text.endswith("y = x +")
    provider.streams[1].finish(" 1\n")
    await settle()
    await rig.type("x +")
    task = rig.ask()
    await asyncio.sleep(0)
    assert text_of(task.result()) == " 1"
    await rig.engine.aclose()


async def test_where_a_cancelled_call_is_billed_nothing_is_asked_ahead() -> None:
    profile = Profile("own", "m", "none", max_in_flight=1, cancel_stops_billing=False)
    rig = Rig(provider := ScriptedProvider(profile, ("1",) * 9))
    for number in range(9):
        await rig.write(f"y{number} = ")
        assert text_of(await rig.ask()) == "1"
        await rig.type("1")

    assert len(provider.streams) == 9
    await rig.engine.aclose()


async def test_nothing_is_asked_ahead_where_a_gate_would_stop_it() -> None:
    profile = Profile("own", "m", "none", free=True, max_in_flight=1)
    rig = Rig(provider := ScriptedProvider(profile, ("f(x)",)))
    await rig.write("y = ")
    assert text_of(await rig.ask()) == "f(x)"

    assert len(provider.streams) == 1
    await rig.engine.aclose()


async def test_a_call_lives_on_while_edits_agree_with_it(rig: Rig) -> None:
    await rig.write("y = ")
    rig.ask().cancel()
    task = rig.ask()
    await settle()
    task.cancel()
    rig.provider.streams[0].say("compute")
    for character in "comp":
        await rig.clock.advance(0.6 * GRACE_S)
        await rig.type(character)

    assert not rig.provider.streams[0].closed
    await rig.clock.advance(GRACE_S)
    assert rig.provider.streams[0].closed


async def test_a_menu_never_waits_longer_than_it_may_once_the_user_types_on() -> None:
    rig = Rig()
    rig.client.has_inline = False
    await rig.write("y = ")
    task = rig.ask(face="menu")
    await rig.clock.advance(0.2)
    assert not task.done()

    await rig.type("a")
    await settle()

    assert reason_of(await task) is Reason.TIMED_OUT
    rig.provider.streams[0].finish("ab")
    await settle()
    assert text_of(await rig.ask(face="menu")) == "b"
    await rig.engine.aclose()


async def test_who_types_and_pauses_has_a_menu_held_for_him_for_two_seconds() -> None:
    rig = Rig()
    rig.client.has_inline = False
    await rig.write("y = ")
    early = rig.ask(face="menu")
    await rig.clock.advance(1.0)
    rig.provider.streams[0].finish("ab")
    assert text_of(await early) == "ab"

    await rig.type("x")
    late = rig.ask(face="menu")
    await rig.clock.advance(HOLD_S)
    assert reason_of(await late) is Reason.TIMED_OUT
    await rig.engine.aclose()


async def test_nothing_big_begins_before_settings_that_were_asked_for(rig: Rig) -> None:
    rig.engine.expect_settings()
    await rig.write("y = ")
    assert rig.finder.searches == 0

    rig.engine.configure("editor settings", {})
    await settle()

    assert rig.finder.searches == 1


async def test_settings_that_never_come_are_not_waited_for(rig: Rig) -> None:
    rig.engine.expect_settings()
    await rig.write("y = ")
    await rig.clock.advance(2.0)

    assert rig.finder.searches == 1


@pytest.mark.parametrize(
    ("settings", "uri"),
    [
        pytest.param({"enabled": False}, URI, id="switched off"),
        pytest.param({"completion": {"languages": ["go"]}}, URI, id="another language"),
        pytest.param({}, "git:/a.py", id="a diff"),
        pytest.param({}, "file:///p/.env", id="a secret file"),
    ],
)
async def test_a_document_that_is_not_completed_starts_no_model(
    settings: Mapping[str, object], uri: str
) -> None:
    rig = Rig(settings=settings)
    await rig.write("y = ", uri)

    assert rig.finder.searches == 0
    await rig.engine.aclose()


async def test_a_model_server_that_went_idle_is_started_again_without_an_error() -> None:
    first, second = ScriptedProvider(), ScriptedProvider(replies=("1\n",))
    rig = Rig(first, second)
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    first.streams[0].fail(UnreachableError("127.0.0.1: connection refused"))

    assert reason_of(await task) is Reason.LOADING
    assert rig.client.shown == []
    await rig.engine.aclose()


async def test_a_request_for_a_document_that_was_closed_makes_no_call(rig: Rig) -> None:
    await rig.write("y = ")
    task = rig.ask()
    rig.engine.close(URI)

    assert reason_of(await task) is Reason.UNKNOWN_DOCUMENT
    assert rig.provider.streams == []


async def test_a_document_excluded_while_its_provider_was_made_is_not_sent() -> None:
    finder, settings = SlowFinder(), {"provider": "h", "providers": {"h": API}}
    rig = Rig(settings=settings, finder=finder)
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()
    rig.engine.configure("editor settings", {"privacy": {"exclude": ["*.py"]}})
    finder.may_find.set()

    assert reason_of(await task) is Reason.EXCLUDED
    assert finder.provider.streams == []
    await rig.engine.aclose()


async def test_an_answer_of_many_lines_is_one_success(monkeypatch: pytest.MonkeyPatch) -> None:
    successes: list[float] = []
    monkeypatch.setattr(ProviderHealth, "went_well", lambda it, now: successes.append(now))
    rig = Rig()
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    for line in ("1\n", "z = 2\n", "u = 3\n"):
        rig.provider.streams[0].say(line)
        await settle()
    rig.provider.streams[0].finish()
    await task
    await settle()

    assert len(successes) == 1
    await rig.engine.aclose()


async def test_a_call_whose_connection_is_closed_from_elsewhere_is_answered_and_gives_its_slot_back(
    rig: Rig,
) -> None:
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    await rig.provider.aclose()

    assert reason_of(await task) is Reason.PROVIDER_FAILED
    rig.provider.replies = ["1\n"]
    assert text_of(await rig.ask(Trigger.MANUAL)) == "1"


async def test_a_refused_rate_is_obeyed_and_passed_by_hand(rig: Rig) -> None:
    await rig.write("y = ")
    task = rig.ask()
    await settle()
    rig.provider.streams[0].fail(RateLimitError("h: too many requests", 30))
    await task

    assert reason_of(await rig.ask()) is Reason.RATE_LIMITED
    rig.provider.replies = ["1\n"]
    assert text_of(await rig.ask(Trigger.MANUAL)) == "1"


async def test_a_binary_file_is_left_alone(rig: Rig) -> None:
    await rig.write("\x00\x01")

    assert reason_of(await rig.ask()) is Reason.BINARY


async def test_a_glob_counts_from_its_workspace_folder() -> None:
    rig = Rig(settings={"privacy": {"exclude": ["config/keys.py"]}})
    rig.engine.set_folders(("file:///u/project",))
    await rig.write("KEY = ", "file:///u/project/config/keys.py")

    assert reason_of(await rig.ask(uri="file:///u/project/config/keys.py")) is Reason.EXCLUDED
    await rig.engine.aclose()


async def test_a_failing_model_is_the_status_until_it_answers(rig: Rig) -> None:
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()
    rig.provider.streams[-1].fail(LlmLspError("h: busy; wait"))
    await task
    assert rig.client.statuses[-1] == "Error"

    rig.provider.replies = ["1\n"]
    await rig.ask(Trigger.MANUAL)
    await settle()  # The answer comes first.
    assert rig.client.statuses[-1] == "Normal"


async def test_a_provider_chosen_by_command_stands_above_later_settings() -> None:
    rig = Rig(ScriptedProvider(), ScriptedProvider())
    rig.engine.select_provider("local")
    rig.engine.configure("editor settings", {"provider": "auto"})

    assert rig.engine.registry.runtime.config.provider == "local"
    await rig.engine.aclose()


async def test_at_the_rate_limit_a_call_under_way_is_still_joined(rig: Rig) -> None:
    rig.engine.configure("editor settings", {"completion": {"calls_per_minute": 1}})
    await rig.write("y = ")
    for number in range(9):
        rig.provider.replies = ["\n"]
        await rig.ask(at=Point(0, 0), trigger=Trigger.MANUAL)
        assert len(rig.provider.streams) == number + 1
    rig.ask()
    await settle()
    await rig.type("f")
    joined = rig.ask()
    await settle()
    rig.provider.streams[-1].finish("foo\n")

    assert text_of(await joined) == "oo"


async def test_nothing_begins_after_the_end(rig: Rig) -> None:
    rig.engine.expect_settings()
    await rig.write("y = ")
    await rig.engine.aclose()
    await rig.clock.advance(2.0)

    assert rig.finder.searches == 0


@pytest.mark.parametrize("offers_models", [False, True])
async def test_an_editor_that_offers_a_model_is_shown_no_message_beside(offers_models: bool) -> None:
    rig = Rig(NoModelError("no model is installed yet"))
    rig.client.offers_models = offers_models
    await rig.write("x = ")
    await settle()

    assert rig.client.status_now.needs_model
    assert rig.client.shown == ([] if offers_models else ["no model is installed yet"])
    await rig.engine.aclose()
