"""A question about code: which provider gets it, what is sent, and what is kept of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from llm_lsp.core.chat.dialogue import ChatQuestion, ChatReply
from llm_lsp.core.generation import Finish, Usage
from llm_lsp.core.prompt.prompts import ChatPrompt, Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.errors import (
    AskError,
    AuthError,
    BrokenStreamError,
    LlmLspError,
    ModelFileError,
    NotFoundError,
    UnreachableError,
)
from tests.doubles import ScriptedProvider, ScriptedStream, settle
from tests.engine.rig import Rig, SlowFinder, text_of

CODE = Document("file:///p/src/a.py", "python", 1, Text.of("def half(x):\n    return x / 2\n"))
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
TALKER = Profile("scripted", "m", "chat")
TWO = {
    "provider": "first",
    "providers": {
        name: {"api": "openai-chat", "base_url": "http://127.0.0.1:9/v1", "model": "m"} | more
        for name, more in (("first", {"fallback": ["second"]}), ("second", {}))
    },
}


class Caller(ScriptedProvider):
    """Tells of each call: what was said before is read in a thread, and no test knows how long that takes."""

    def __init__(self, profile: Profile, replies: tuple[str, ...] = ()) -> None:
        super().__init__(profile, replies)
        self.calls: asyncio.Queue[ScriptedStream] = asyncio.Queue()

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> ScriptedStream:
        stream = super().stream(prompt, patience)
        self.calls.put_nowait(stream)
        return stream


class Desk(Rig):
    """An engine whose providers say what a test lists."""

    def __init__(
        self, *replies: str, profile: Profile = TALKER, settings: dict[str, object] | None = None
    ) -> None:
        self.caller = Caller(profile, replies)
        super().__init__(self.caller, settings=settings)
        self.engine.set_folders(("file:///p",))

    async def put(
        self, question: str = "why?", document: Document | None = None, **more: object
    ) -> ChatReply:
        inquiry = ChatQuestion(question, document, **more)  # type: ignore[arg-type] # each test knows its own
        # In a task of its own: closing a scripted stream cancels the task that has read it.
        return await asyncio.create_task(self.engine.ask(inquiry))

    def sent(self, n: int = -1) -> list[str]:
        prompt = self.caller.streams[n].prompt
        assert isinstance(prompt, ChatPrompt)
        return [text for role, text in prompt.messages if role != "system"]


async def test_the_code_goes_with_its_path_in_the_folder() -> None:
    desk = Desk("It halves.")

    reply = await desk.put("What does it do?", CODE, lines=(1, 2))

    assert reply == ChatReply("It halves.", is_whole=True)
    [message] = desk.sent()
    assert message == (
        '<file path="src/a.py" language="python" first_line="2">\n    return x / 2\n</file>\nWhat does it do?'
    )
    await desk.engine.aclose()


async def test_what_was_said_before_goes_with_the_next_question_until_one_starts_over() -> None:
    desk = Desk("one", "two", "three")

    await desk.put("first?")
    await desk.put("second?")
    await desk.put("third?", is_new=True)

    assert [desk.sent(n) for n in range(3)] == [
        ["first?"],
        ["first?", "one", "second?"],
        ["third?"],
    ]
    await desk.engine.aclose()


async def test_each_folder_has_a_dialogue_of_its_own() -> None:
    desk = Desk("one", "two")
    desk.engine.set_folders(("file:///p", "file:///q"))

    await desk.put("first?", CODE)
    await desk.put("second?", Document("file:///q/b.py", "python", 1, Text.of("")))

    assert len(desk.sent()) == 1
    await desk.engine.aclose()


async def test_the_answer_is_told_as_it_comes() -> None:
    desk = Desk()
    pieces: list[str] = []
    task = asyncio.create_task(desk.engine.ask(ChatQuestion("why?"), pieces.append))
    stream = await desk.caller.calls.get()
    stream.say("Be")
    await settle()

    assert pieces == ["Be"]
    stream.finish("cause.", Finish.LENGTH)
    assert await task == ChatReply("Because.", is_whole=False)
    await desk.engine.aclose()


async def test_what_an_answer_hides_is_shown_as_escapes_however_it_is_cut() -> None:
    desk = Desk()
    pieces: list[str] = []
    task = asyncio.create_task(desk.engine.ask(ChatQuestion("why?"), pieces.append))
    stream = await desk.caller.calls.get()
    for piece in ("\u26a0", "\ufe0f a\x1b", "[2J\u202e", "\U000e0041b\tc\n"):
        stream.say(piece)
    stream.finish()

    reply = await task

    assert reply.text == "".join(pieces) == "\u26a0\ufe0f a\\x1b[2J\\u202e\\U000e0041b\tc\n"
    await desk.engine.aclose()


async def test_secrets_are_masked_in_what_is_sent_and_in_what_is_kept() -> None:
    desk = Desk("one", "two")
    code = Document("file:///p/b.py", "python", 1, Text.of(f'token = "{SECRET}"\n'))

    await desk.put(f"Is {SECRET} right?", code)
    await desk.put("And now?")

    everything = "".join(desk.sent(0) + desk.sent(1))
    assert "ghp_" in everything
    assert SECRET not in everything
    await desk.engine.aclose()


@pytest.mark.parametrize(
    ("document", "settings", "words"),
    [
        pytest.param(
            Document("file:///p/.env", "", 1, Text.of("A=1")), {}, "this file is excluded", id="excluded"
        ),
        pytest.param(CODE, {"enabled": False}, "completions are switched off", id="switched off"),
        pytest.param(None, {"enabled": False}, "completions are switched off", id="no file, switched off"),
        pytest.param(
            Document("file:///p/c.py", "python", 1, Text.of("word " * 9000)),
            {},
            "select fewer lines",
            id="long",
        ),
    ],
)
async def test_what_may_not_be_sent_is_refused(
    document: Document | None, settings: dict[str, object], words: str
) -> None:
    desk = Desk("one", settings=settings)

    with pytest.raises(AskError, match=words):
        await desk.put("why?", document)

    assert desk.caller.streams == []
    await desk.engine.aclose()


async def test_a_model_without_dialogues_says_so_and_completes_on() -> None:
    desk = Desk(profile=Profile("scripted", "m", "none"))
    for _ in range(2):
        task = asyncio.create_task(desk.put())
        (await desk.caller.calls.get()).fail(NotFoundError("no such address"))
        with pytest.raises(AskError, match="no such address; this model only completes"):
            await task

    await desk.write("y = ")
    desk.caller.replies = ["1"]
    assert text_of(await desk.ask(Trigger.AUTOMATIC)) == "1"
    await desk.engine.aclose()


class Pair(Desk):
    """Two providers, one of which stands in for the other."""

    def __init__(self) -> None:
        self.first, self.second = Caller(TALKER), Caller(TALKER, ("from the second",))
        Rig.__init__(self, self.first, self.second, settings=TWO)

    async def after(self, error: LlmLspError) -> ChatReply:
        task = asyncio.create_task(self.put())
        (await self.first.calls.get()).fail(error)
        return await task


async def test_who_stands_in_for_a_failing_provider_answers() -> None:
    pair = Pair()

    assert (await pair.after(AuthError("a bad key"))).text == "from the second"
    await pair.engine.aclose()


async def test_after_half_an_answer_nobody_else_is_asked() -> None:
    pair, error = Pair(), BrokenStreamError("it broke off")
    error.began = True

    with pytest.raises(BrokenStreamError):
        await pair.after(error)

    assert pair.second.streams == []
    await pair.engine.aclose()


async def test_where_all_fail_the_first_failure_is_told() -> None:
    pair = Pair()
    pair.second.replies = [""]

    with pytest.raises(AuthError, match="a bad key"):
        await pair.after(AuthError("a bad key"))
    await pair.engine.aclose()


async def test_an_empty_answer_is_an_error_and_is_not_kept() -> None:
    desk = Desk(" \n", "two")

    with pytest.raises(AskError, match="returned nothing"):
        await desk.put("first?")
    await desk.put("second?")

    assert desk.sent() == ["second?"]
    await desk.engine.aclose()


async def test_a_question_is_in_the_books_and_under_the_budget() -> None:
    desk = Desk(settings={"budget": {"tokens_per_day": 2000}})
    task = asyncio.create_task(desk.put("first?", CODE))
    (await desk.caller.calls.get()).finish("one", usage=Usage(1500, 600))
    await task

    with pytest.raises(LlmLspError, match="are spent"):
        await desk.put("second?", CODE)
    assert len(desk.caller.streams) == 1
    await desk.engine.aclose()


async def test_over_the_budget_nobody_is_asked_twice() -> None:
    here = {"api": "ollama", "base_url": "http://127.0.0.1:9", "model": "m"}
    settings: dict[str, object] = {
        "provider": "here",
        "providers": {"here": here},
        "budget": {"tokens_per_day": 0},
    }
    caller = Caller(replace(TALKER, free=True))
    desk = Desk(settings=settings)
    desk.finder.found = [caller, ModelFileError("no model")]
    task = asyncio.create_task(desk.put())
    (await caller.calls.get()).fail(AuthError("a bad key"))

    with pytest.raises(AuthError):
        await task
    assert len(caller.streams) == 1
    await desk.engine.aclose()


async def test_what_was_excluded_while_the_model_was_started_is_not_sent() -> None:
    desk = Desk("one")
    finder = SlowFinder(desk.caller)
    Rig.__init__(desk, desk.caller, finder=finder)
    task = asyncio.create_task(desk.put("why?", CODE))
    await finder.is_asked.wait()
    desk.engine.configure("editor settings", {"privacy": {"exclude": ["*.py"]}})
    finder.may_find.set()

    with pytest.raises(AskError, match="excluded"):
        await task
    assert desk.caller.streams == []
    await desk.engine.aclose()


async def test_a_fault_of_our_own_ends_the_call() -> None:
    def broken(piece: str) -> None:
        raise ValueError("secret text of the buffer")

    desk = Desk("one")
    with pytest.raises(ValueError):
        await asyncio.create_task(desk.engine.ask(ChatQuestion("why?"), broken))
    assert desk.caller.streams[0].released
    await desk.engine.aclose()


async def test_who_leaves_closes_the_call() -> None:
    desk = Desk()
    task = asyncio.create_task(desk.engine.ask(ChatQuestion("why?")))
    stream = await desk.caller.calls.get()

    task.cancel()
    await settle()

    assert task.cancelled()
    assert stream.closed
    await desk.engine.aclose()


async def test_a_model_server_that_went_idle_is_started_again_for_a_question() -> None:
    gone, back = Caller(TALKER), Caller(TALKER, ("It halves.",))
    rig = Rig(gone, back, settings={"provider": "local"})
    await rig.write("x = ")
    asking = asyncio.create_task(rig.engine.ask(ChatQuestion("why?")))
    (await gone.calls.get()).fail(UnreachableError("nothing listens"))

    assert (await asking).text == "It halves."
    assert rig.client.shown == []
    await rig.engine.aclose()


async def test_a_question_whose_provider_is_replaced_ends_with_an_error() -> None:
    desk = Desk()
    asking = asyncio.create_task(desk.engine.ask(ChatQuestion("why?")))
    stream = await desk.caller.calls.get()
    stream.say("It hal")
    await settle()
    stream.hang_up()

    with pytest.raises(BrokenStreamError, match="change of settings"):
        await asking
    await desk.engine.aclose()


@pytest.mark.parametrize("is_new", [False, True], ids=["in one dialogue", "that starts over"])
async def test_two_questions_at_a_time_keep_both_answers(is_new: bool) -> None:
    desk = Desk(profile=replace(TALKER, max_in_flight=2))
    first = asyncio.create_task(desk.put("one?", CODE))
    one = await desk.caller.calls.get()
    second = asyncio.create_task(desk.put("two?", CODE, is_new=is_new))
    two = await desk.caller.calls.get()
    two.finish("Two.")
    await second
    one.finish("One.")
    await first

    desk.caller.replies = ["Three."]
    await desk.put("three?", CODE)
    said = " ".join(desk.sent())
    assert "One." in said
    assert "Two." in said
    await desk.engine.aclose()
