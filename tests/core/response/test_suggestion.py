"""What a user gets when a model would write this and that."""

from __future__ import annotations

import pytest

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import Trigger
from llm_lsp.core.response.postprocess import Insertion
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.text import Point
from tests.core.response.golden import Case, cases
from tests.core.suggestion import suggest


@pytest.mark.parametrize("case", cases("suggestion"), ids=lambda case: case.name)
def test_a_suggestion_is_what_belongs_there(case: Case) -> None:
    document, point = case.document()
    finish, trigger = Finish(case.head.get("finish", "stop")), Trigger(case.head.get("trigger", "automatic"))

    done = suggest(document, point, case.sections["answer"], finish, trigger)

    if "skip" in case.sections:
        assert done == Skip(Reason[case.sections["skip"]])
        return
    assert isinstance(done, Insertion), done
    before, after = document.text.slice(Point(0, 0), point), document.text.slice(done.end, document.text.end)
    assert f"{before}├{done.text}┤{after}" == case.sections["result"]
