from __future__ import annotations

import pytest

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.response.completion_extent import MAX_ANSWER_CHARS, MAX_LINES
from llm_lsp.core.response.filter_context import place_at
from llm_lsp.core.response.postprocess import Insertion, postprocess
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from tests.core.response.golden import Case, cases


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


def test_of_an_endless_answer_the_first_whole_lines_are_taken() -> None:
    document = Document("file:///a", "python", 1, Text.of(""))
    short = [f"value_{idx} = compute_{idx}()" for idx in range(10_000)]
    long = [f"value_{idx} = compute_{idx}({idx}{' + 1' * 40})" for idx in range(10_000)]

    few, all_of_them = (run(document, Point(0, 0), "\n".join(lines)) for lines in (long, short))

    assert isinstance(few, Insertion) and isinstance(all_of_them, Insertion)
    assert few.text.split("\n") == long[: few.text.count("\n") + 1]
    assert MAX_ANSWER_CHARS - 250 < len(few.text) <= MAX_ANSWER_CHARS
    assert all_of_them.text.split("\n") == short[:MAX_LINES]


def test_an_endless_line_is_refused() -> None:
    document = Document("file:///a", "python", 1, Text.of(""))

    assert run(document, Point(0, 0), "a = [" + "1, " * MAX_ANSWER_CHARS) == Skip(Reason.EMPTY)
