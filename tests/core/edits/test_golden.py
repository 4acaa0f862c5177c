"""The golden cases of next edits: texts one after another, and what follows from the last change."""

from __future__ import annotations

import pytest

from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.edits.predict import predict
from llm_lsp.core.edits.situation import Situation
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.syntax import SyntaxTree
from tests.core.edits.editing import edited, shown
from tests.core.response.golden import Case, cases

CASES = cases("edits")


def predicted(case: Case) -> NextEdit | Skip:
    editing = edited(case)
    document = editing.document
    situation = Situation(
        document,
        editing.cursor,
        editing.history.fresh_bursts(editing.now),
        SyntaxTree.of(document.text, document.language),
        is_typing=case.head.get("typing") == "yes",
        is_typed=editing.last.is_typed(document.text),
    )
    redactor = Redactor()

    def refusal(edit: NextEdit) -> Reason | None:
        return Reason.SECRET if redactor.redact(document.text.line(edit.start.line)).found else None

    found = predict(situation, refusal)
    return found if isinstance(found, Skip) else found.edit


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_what_follows(case: Case) -> None:
    (name,) = [name for name in case.sections if name.startswith("result")]
    reason = name.partition(": ")[2]

    found = predicted(case)

    if isinstance(found, Skip):
        assert found.reason.name == reason
    else:
        assert shown(case, found) == case.sections[name]
        start, end = found.start, found.end
        assert edited(case).document.text.slice(start, end) == found.old


def test_there_are_forty_cases_and_ten_for_silence() -> None:
    silent = [case for case in CASES if case.name.startswith("silent-")]

    assert len(CASES) >= 40
    assert len(silent) >= 10
