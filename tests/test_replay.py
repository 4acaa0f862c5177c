"""Recorded sessions are replayed, and what suggestions saved and cost is counted."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.recorded_model import TimedStream
from benchmarks.recording import RecordedAnswer, Recording, Token
from benchmarks.server_desk import shown_at
from benchmarks.trace import Patch, TraceEdit, TypingTrace
from benchmarks.trace_replay import OracleDesk, Replay, offered, replay_oracle, replay_trace, together
from benchmarks.user import Moment, Shown, TraceUser, right_words, wishes
from benchmarks.world import Model, VirtualClock
from benchmarks.written_trace import WrittenTrace, asked_in
from llm_lsp.core.generation import Chunk
from llm_lsp.core.text.text import Point, Text

START = "def total(items):\n    result = 0\n"
LINE = "    return result + 1\n"


def typed(text: str, gap_s: float = 0.5) -> TypingTrace:
    offset = len(START)
    edits = (TraceEdit(gap_s, (Patch(offset + idx, 0, char),)) for idx, char in enumerate(text))
    return TypingTrace(START, tuple(edits), "python", "lines")


def recorded(*answers: tuple[int, str, str]) -> Recording:
    return Recording(
        [
            RecordedAnswer(edit, len(START) + edit, begins, (Token(begins, -1), Token(text, -1)), "line")
            for edit, begins, text in answers
        ]
    )


class CountingDesk(OracleDesk):
    """Shows nothing."""

    def __init__(self, written: WrittenTrace) -> None:
        super().__init__(written, Replay(written.trace))
        self.asked = 0

    async def ask(self) -> Shown:
        self.asked += 1
        return Shown()


@pytest.mark.parametrize(
    ("shown", "ahead", "habit", "expected"),
    [
        pytest.param("turn x\n", "turn x\ny", "all", [("turn x", 1)], id="all of it"),
        pytest.param("turn x\ny = 1", "turn x\nz", "all", [("turn x", 1)], id="leading lines"),
        pytest.param("turn xyz", "turn x", "all", [], id="no whole line"),
        pytest.param("turn xyz", "turn abc", "words", [("turn", 1)], id="a leading word"),
        pytest.param("one two (x", "one two (y", "words", [("one two (", 3)], id="words and marks"),
        pytest.param("one,two", "one,three", "words", [("one", 1)], id="a single mark is typed"),
        pytest.param("one", "two", "words", [("", 0)], id="nothing right"),
    ],
)
def test_users_accept_what_they_go_on_to_type(
    shown: str, ahead: str, habit: str, expected: list[tuple[str, int]]
) -> None:
    assert wishes(shown, ahead, habit) == expected  # type: ignore[arg-type]  # one of Habit


def test_words_end_where_the_suggestion_goes_wrong() -> None:
    assert right_words("a(bb, cc", "a(bb, dd") == ("a(bb", 3)


@pytest.mark.parametrize(
    ("new", "typed", "rest", "expected"),
    [
        ("return x", "re", "", "turn x"),
        ("f(x)", "f(", ")", "x"),
        ("other", "re", "", ""),
        ("f(x", "f(", ")", ""),
    ],
)
def test_an_item_shows_what_its_range_does_not_repeat(new: str, typed: str, rest: str, expected: str) -> None:
    assert offered(new, typed, rest) == expected


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("x = ", "x = "),
        ("<|fim_prefix|>a\n<|fim_suffix|>z<|fim_middle|>x = ", "a\nx = "),
        ("<|fim_prefix|><|fim_suffix|>z<|fim_middle|>a\nx = ", "a\nx = "),
        ("<fim_prefix>a\nx = <fim_suffix>z<fim_middle>", "a\nx = "),
        ("[SUFFIX]z[PREFIX]a\nx = ", "a\nx = "),
    ],
)
def test_a_prompt_tells_what_it_asks_to_continue(prompt: str, text: str) -> None:
    assert asked_in(prompt) == text


def test_a_prompt_is_found_where_it_was_made() -> None:
    written = WrittenTrace(typed(LINE))
    for _ in range(8):
        written.type_next()
    written.remember()
    written.type_next()

    places = {
        "    retu": ("", ""),
        "    return re": ("rn re", ""),
        "    ": ("", "retu"),
    }
    for line, found in places.items():
        asked = written.locate(START + line)
        assert asked is not None
        assert (asked.n_edits, asked.since, asked.left_out) == (8, *found)
    assert written.locate(START + "    other") is None
    assert written.accept(written.whole_edits("n re")).text == "n re"
    assert written.n_edits == 13


async def test_a_right_answer_saves_its_characters_less_a_key() -> None:
    recording = recorded((5, "    r", "eturn result + 1\n"))
    replay = Replay(typed(LINE), "all", Model(0.1, 100.0), recording)

    figures = await replay_trace(replay)

    assert (figures["wrong_chars_per_100"], figures["first_word_wrong_share"]) == (0, 0)
    assert 0 < figures["net_saved_per_100"] <= figures["oracle_net_saved_per_100"]
    assert figures["edits"] == figures["chars"] == len(LINE)


async def test_wrong_characters_are_counted_when_they_are_painted() -> None:
    recording = recorded((5, "    r", "aise result\n"))
    replay = Replay(typed(LINE[:8]), "words", Model(0.1, 100.0), recording, reading_keys=0.5)

    figures = await replay_trace(replay)

    assert figures["paints"] * figures["first_word_wrong_share"] == 1
    assert figures["wrong_chars_per_100"] > 0
    assert figures["net_after_reading_per_100"] < figures["net_saved_per_100"] == 0
    assert (await replay_oracle(replay))["paints"] == 0


@pytest.mark.parametrize("has_logprobs", [True, False])
async def test_recorded_log_probabilities_are_sent_with_all_tokens(
    has_logprobs: bool,
) -> None:
    clock, answer = VirtualClock(), ((Token("return", -0.25), Token(" x", -2.0)), "stop")
    chunks: list[Chunk] = []

    async def read() -> None:
        stream = TimedStream(clock, Model(0.1, 10.0), answer, "re", has_logprobs)  # type: ignore[arg-type]  # one of End
        chunks.extend([chunk async for chunk in stream])

    reading = asyncio.create_task(read())
    await clock.until(2.0)
    await reading

    assert "".join(chunk.text for chunk in chunks) == "rereturn x"
    logprobs = [token.logprob for chunk in chunks for token in chunk.tokens]
    # As a server does, with a value for what was forced, which is left out where the answer is read.
    assert logprobs == ([0.0, -0.25, -2.0] if has_logprobs else [])


async def test_a_simulated_model_answers_in_recorded_sessions_too() -> None:
    figures = await replay_trace(Replay(typed(LINE * 4, 0.2), "words", Model(0.1, 200.0, 1.0)))

    assert figures["net_saved_per_100"] > 10


RANGE = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 7}}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        pytest.param({"insertText": "x"}, "x", id="inline"),
        pytest.param({"insertText": {"kind": "snippet", "value": "x"}}, "x", id="an inline snippet"),
        pytest.param({"insertText": "    retval", "range": RANGE}, "val", id="inline with a range"),
        pytest.param({"label": "return"}, "urn", id="a menu's label, after the typed word"),
        pytest.param({"label": "other"}, "other", id="a menu's other word"),
        pytest.param(
            {"label": "a", "textEdit": {"range": RANGE, "newText": "    retry"}}, "ry", id="a menu's edit"
        ),
        pytest.param({"insertText": "x", "range": {**RANGE, "start": RANGE["end"]}}, "x", id="at its end"),
    ],
)
def test_what_another_server_offers_is_read_as_an_editor_shows_it(item: dict[str, object], text: str) -> None:
    assert shown_at(Text.of("def f():\n    ret"), Point(1, 7), item).text == text


async def test_an_editor_may_also_request_where_the_cursor_is_moved_or_text_deleted() -> None:
    offset = len(START)
    edits = (
        TraceEdit(1.0, (Patch(offset, 0, "x"),)),
        TraceEdit(1.0, (Patch(offset, 1, ""),)),
        TraceEdit(1.0, (Patch(0, 0, "y"),)),
    )
    trace = TypingTrace(START, edits, "python")

    async def asked(*moments: Moment) -> int:
        written = WrittenTrace(trace)
        desk = CountingDesk(written)
        await TraceUser(written, desk, "all", moments).run()
        return desk.asked

    assert [await asked("typed"), await asked("typed", "deleted"), await asked("typed", "moved")] == [2, 3, 4]


def test_windows_are_put_together_by_their_weight() -> None:
    one = {"chars": 100, "edits": 100, "paints": 1, "calls": 2, "tokens": 3, "first_word_wrong_share": 1.0, "net_saved_per_100": 10.0}  # fmt: skip
    other = {**one, "chars": 300, "paints": 3, "first_word_wrong_share": 0.0, "net_saved_per_100": 2.0}

    both = together([one, other])

    assert (both["chars"], both["paints"], both["calls"]) == (400, 4, 4)
    assert (both["first_word_wrong_share"], both["net_saved_per_100"]) == (0.25, 4.0)
