from __future__ import annotations

import pytest

from llm_lsp.core.draft import place_at
from llm_lsp.core.postprocess import Insertion, postprocess
from llm_lsp.core.text import Point, Text
from llm_lsp.core.types import CompletionRequest, Document, Finish, Reason, Skip, Trigger
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


def test_a_line_of_a_megabyte_is_looked_at_around_the_cursor_only() -> None:
    document = Document("file:///a", "javascript", 1, Text.of("a=1;" * 250_000 + "\n"))

    place = place_at(document, Point(0, 500_000))

    assert (len(place.before), len(place.rest)) == (1000, 1000)
