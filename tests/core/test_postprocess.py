from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_lsp.core.draft import place_at
from llm_lsp.core.postprocess import Insertion, postprocess
from llm_lsp.core.text import Text
from llm_lsp.core.types import CompletionRequest, Document, Finish, Point, Reason, Skip, Trigger
from tests.core.golden import Case, cases


def run(document: Document, point: Point, answer: str, finish: Finish = Finish.CUT) -> Insertion | Skip:
    request = CompletionRequest(1, document, point, Trigger.AUTOMATIC, "inline", 0.0)
    return postprocess(answer, finish, request)


@pytest.mark.parametrize("case", cases("postprocess"), ids=lambda case: case.name)
def test_an_answer_is_made_fit(case: Case) -> None:
    document, point = case.document()

    done = run(document, point, case.sections["answer"], Finish(case.head.get("finish", "cut")))

    if "skip" in case.sections:
        assert done == Skip(Reason[case.sections["skip"]])
        return
    assert isinstance(done, Insertion), done
    assert done.end.line == point.line
    before, after = document.text.slice(Point(0, 0), point), document.text.slice(done.end, document.text.end)
    result = f"{before}├{done.text}┤{after}"
    if case.head.get("line ends") == "crlf":
        assert result.count("\n") == result.count("\r\n")
        result = result.replace("\r\n", "\n")
    assert result == case.sections["result"]


CODE = st.text(alphabet="ab(){}[]\"'`:;,.# \t\n\r\u2028计（）", max_size=40)


@given(before=CODE, after=CODE, answer=CODE, finish=st.sampled_from(Finish))
@settings(max_examples=300, deadline=None)
def test_any_answer_gives_an_insertion_on_the_line_or_a_reason(
    before: str, after: str, answer: str, finish: Finish
) -> None:
    text = Text.of(before + after)
    point = Text.of(before).end
    document = Document("file:///a", "python", 1, text)

    done = run(document, text.clamp(point), answer, finish)

    if isinstance(done, Insertion):
        assert done.text.strip()
        assert done.end.line == text.clamp(point).line
        assert text.clamp(point).column <= done.end.column <= len(text.line(done.end.line))


def test_a_line_of_a_megabyte_is_looked_at_around_the_cursor_only() -> None:
    document = Document("file:///a", "javascript", 1, Text.of("a=1;" * 250_000 + "\n"))

    place = place_at(document, Point(0, 500_000))

    assert (len(place.before), len(place.rest)) == (1000, 1000)
