"""Recorded sessions and recorded answers, as the benchmarks read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import benchmarks
from benchmarks.recording import RecordedAnswer, Recording, Token, read_recording, to_line
from benchmarks.session import session_from
from benchmarks.trace import Patch, TraceEdit, TypingTrace, read_trace, trace_of

TEXT = "x = "
RECORDING = Path(benchmarks.__file__).parent / "recordings" / "sveltecomponent.jsonl"


def typed(text: str, offset: int = len(TEXT)) -> tuple[TraceEdit, ...]:
    return tuple(TraceEdit(0.1, (Patch(offset + idx, 0, char),)) for idx, char in enumerate(text))


def answer(edit: int, begins: str, *tokens: str, end: str = "line") -> RecordedAnswer:
    pieces = tuple(Token(token, -0.5) for token in tokens)
    return RecordedAnswer(edit, len(TEXT) + edit, begins, pieces, end)  # type: ignore[arg-type]  # one of End


def test_a_trace_is_read_from_any_edit_on(tmp_path: Path) -> None:
    rows = [
        {"time": "2020-01-01T00:00:00Z", "patches": [[0, 0, "a"]]},
        {"time": "2020-01-01T00:00:05Z", "patches": [[1, 0, "b"]]},
        {"time": "2020-01-01T00:00:05Z", "patches": [[2, 0, "c"]]},
        {"time": "2020-01-01T00:00:09Z", "patches": [[0, 1, ""], [0, 0, "->"]]},
    ]
    path = tmp_path / "rustcode.json"
    path.write_text(json.dumps({"startContent": "", "txns": rows}))

    trace = read_trace(path, 1, 3)

    assert (trace.start, trace.language) == ("a", "rust")
    assert [edit.gap_s for edit in trace.edits] == [0.03, 0.5, 2.0]
    assert trace.ahead(0, 1) == "bc"
    assert trace.edits[2].typed is None
    assert trace.edits[2].applied("abc") == "->bc"


def test_a_generated_session_has_the_form_of_a_recorded_one() -> None:
    sample = Path(benchmarks.__file__).with_name("sample.txt")
    trace = trace_of(session_from(sample, "python", 1, 100))

    text = trace.start
    for edit in trace.edits:
        text = edit.applied(text)
    assert len(text) > len(trace.start)
    assert any(edit.typed is None for edit in trace.edits)


@pytest.mark.parametrize(
    ("recorded", "n_edits", "expected"),
    [
        pytest.param(answer(1, "o", "one", "\n"), 1, "ne\n", id="at its place, behind the forced text"),
        pytest.param(answer(1, "o", "on", "es\n"), 2, "es\n", id="typed along"),
        pytest.param(answer(1, "o", "other\n"), 2, None, id="typed differently"),
        pytest.param(answer(1, "o", "on"), 2, None, id="nothing is left of it"),
        pytest.param(answer(1, "o", "on", "e", end="limit"), 2, None, id="too little is left of it"),
        pytest.param(answer(3, "", "\n"), 2, None, id="later"),
    ],
)
def test_an_answer_is_found_for_what_was_typed_along_it(
    recorded: RecordedAnswer, n_edits: int, expected: str | None
) -> None:
    found = Recording([recorded]).find(TypingTrace(TEXT, typed("one"), "python"), n_edits)

    assert (found and "".join(token.text for token in found[0])) == expected


def test_an_answer_is_not_found_after_a_deletion_or_a_jump() -> None:
    recording = Recording([answer(1, "", " one two three\n")])
    deletion = TraceEdit(0.1, (Patch(len(TEXT), 1, ""),))
    jump = TraceEdit(0.1, (Patch(0, 0, " "),))

    for edit in (deletion, jump):
        assert recording.find(TypingTrace(TEXT, (*typed("a"), edit), "python"), 2) is None


def test_a_recording_is_read_as_it_was_written_but_for_a_partial_line(tmp_path: Path) -> None:
    path, written = tmp_path / "answers.jsonl", answer(1, "o", "one", "\n")

    path.write_text(to_line(written) + '{"edit":2,"cur')

    assert read_recording(path).find(TypingTrace(TEXT, typed("one"), "python"), 1) == (
        (Token("ne", -0.5), Token("\n", -0.5)),
        "line",
    )


def test_the_committed_recording_is_whole() -> None:
    lines = RECORDING.read_text("utf-8").splitlines()
    answers = [json.loads(line) for line in lines]

    assert len(lines) > 100
    assert len({answer["edit"] for answer in answers}) == len(answers)
    for answer in answers:
        assert "".join(text for text, _ in answer["tokens"]).startswith(answer["begins"])
        assert all(logprob <= 0 for _, logprob in answer["tokens"])
