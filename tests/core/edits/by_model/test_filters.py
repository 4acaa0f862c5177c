"""The golden cases of a model's next edits: texts one after another, an answer, and what is shown of it."""

from __future__ import annotations

import pytest

from llm_lsp.core.edits.by_model.edit_task import task_for
from llm_lsp.core.edits.by_model.judge_answer import EditedPlace, judge_answer
from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.generation import Finish
from llm_lsp.core.skip import Reason, Skip
from tests.core.edits.by_model.golden import family_in, source_of
from tests.core.edits.editing import edited, shown
from tests.core.response.golden import Case, cases

CASES = cases("model_edits")


def judged(case: Case) -> NextEdit | Skip:
    editing = edited(case)
    task = task_for(source_of(case), family_in(case), 4096.0)
    bursts = editing.history.fresh_bursts(editing.now)
    place = EditedPlace(editing.document, editing.cursor.line, bursts, editing.last.earlier)
    is_dismissed = case.head.get("dismissed") == "yes"
    finish = Finish(case.head.get("finish", "stop"))
    return judge_answer(
        task,
        case.sections["answer"],
        finish,
        place,
        lambda edit: Reason.DISMISSED if is_dismissed else None,
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_what_is_shown_of_an_answer(case: Case) -> None:
    (name,) = [name for name in case.sections if name.startswith("result")]

    found = judged(case)

    if isinstance(found, Skip):
        assert found.reason.name == name.partition(": ")[2]
    else:
        assert shown(case, found) == case.sections[name]
        assert edited(case).document.text.slice(found.start, found.end) == found.old


def test_forty_answers_are_written_down() -> None:
    assert len(CASES) >= 40
