"""A model that undoes what the user did shows nothing, in any state of a history."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llm_lsp.core.edits.by_model.edit_families import ZETA_2
from llm_lsp.core.edits.by_model.edit_input import edit_input
from llm_lsp.core.edits.by_model.edit_task import task_for
from llm_lsp.core.edits.by_model.judge_answer import EditedPlace, judge_answer
from llm_lsp.core.generation import Finish
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.commit_history import CommitChange, FileChange, Hunk
from llm_lsp.evaluation.edits.judgement import judge
from llm_lsp.evaluation.edits.states import EditState, states

BEFORE = "".join(
    f"def f{n}(a, b):\n    total = a + {n}\n    show(total)\n    return total\n\n" for n in range(6)
)
HUNKS = (
    Hunk(0, ("def f0(a, b):\n",), ("def f0(first, b):\n",)),
    Hunk(2, ("    show(total)\n",), ()),
    Hunk(6, ("    total = a + 1\n", "    show(total)\n"), ("    total = a * 1\n", "    print(total)\n")),
    Hunk(14, (), ("# note\n", "LIMIT = 3\n")),
    Hunk(20, ("def f4(a, b):\n",), ("def f4(a, b, c):\n",)),
    Hunk(26, ("    total = a + 5\n",), ("    total = sum((a, 5))\n",)),
)


def last(state: EditState) -> str:
    """Undo the last change."""
    return str(state.history.bursts[-1].before.text)


def earlier(state: EditState) -> str:
    """Undo all changes."""
    return str(state.history.bursts[0].before.text)


def last_and_more(state: EditState) -> str:
    """Undo the last change, and change something else on its lines."""
    old, now = (text.splitlines(keepends=True) for text in (last(state), str(state.document.text)))
    gone = [line for line in old if line not in now]
    return "".join(f"{line.rstrip()}  # x\n" if line in gone[:1] else line for line in old)


@pytest.mark.parametrize("adversary", [last, earlier, last_and_more])
def test_no_change_of_the_user_is_undone(adversary: Callable[[EditState], str]) -> None:
    commit = CommitChange("c" * 40, (FileChange("a.py", "python", Text.of(BEFORE), HUNKS),))
    found = [state for seed in range(3) for state in states(commit, seed) if state.history.bursts]
    reverting, shown = 0, 0
    for state in found:
        bursts = state.history.fresh_bursts(state.now)
        source = edit_input(state.document, state.cursor, bursts, lambda uri: "a.py")
        task = task_for(source, ZETA_2, 1e6)
        # The region is the whole file: it has less than a thousand characters.
        assert len(task.lines) == len(source.lines)
        earlier_texts = tuple(burst.before.text for burst in bursts)
        place = EditedPlace(state.document, state.cursor.line, bursts, earlier_texts)
        edit = judge_answer(task, adversary(state), Finish.STOP, place)
        if not isinstance(edit, Skip):
            shown += 1
            reverting += judge(state, edit).reverts

    assert found
    assert (reverting, shown) == (0, shown)
