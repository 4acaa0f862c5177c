"""How much of an answer is read: of each prompt's, until it agrees with the old text again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

import pytest

from llm_lsp.core.edits.by_model.edit_families import SWEEP, ZETA_2_1, EditFamily
from llm_lsp.core.edits.by_model.edit_input import EditHunk, EditInput, Rewritten
from llm_lsp.core.edits.by_model.edit_task import EditTask, task_for
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.text.token_estimate import estimate_tokens
from tests.core.edits.by_model.golden import family_in, source_of
from tests.core.response.golden import Case, cases

CASES = cases("edit_prompts")
# A server's pieces: words with the blank before them, marks, line ends.
PIECES = re.compile(r" ?\w+|\n|[^\w\n]")
MOST_READ = 0.4


def task_of(case: Case) -> EditTask:
    return task_for(source_of(case), family_in(case), 4096.0)


def read(task: EditTask, answer: str) -> tuple[str, Rewritten | None]:
    """Return what is read of an answer, and what it makes of the lines."""
    text = ""
    for piece in PIECES.findall(answer):
        text += piece
        if "\n" in piece and (done := task.completed(text)):
            return text, done
    return text, task.rewritten(text)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_an_answer_that_is_read_in_part_makes_the_same_as_the_whole(case: Case) -> None:
    task, answer = task_of(case), case.sections["answer"]

    _, made = read(task, answer)

    assert made == task.rewritten(answer)
    assert made is not None
    assert made.new != made.old


def state(cursor: int, *, is_jump: bool) -> EditInput:
    """Return a file of five functions, of which a line in the third was changed; the cursor stands two lines below."""
    function = (
        "def load_{n}(path, options):",
        "    settings = read_settings(path)",
        "    settings.update(options)",
        "    for name, value in settings.items():",
        "        check_value(name, value)",
        "    result = Loader(settings).load(path)",
        "    log.info('loaded %s', path)",
        "    return result",
        "",
        "",
    )
    lines = tuple(line.format(n=n) for n in range(5) for line in function)[:-2]
    changed = lines[20].replace("path", "location")
    hunk = EditHunk("load.py", 17, lines[17:20], (lines[20],), (changed,), lines[21:24])
    after = (*lines[:20], changed, *lines[21:])
    return EditInput("load.py", after, cursor, 8, lines, (hunk,), is_jump=is_jump)


def answer_of(task: EditTask, line: int) -> str:
    """Return an answer that changes one line of the document, as a model writes it: no more than the format demands."""
    new = [*task.lines]
    new[line - task.first] = new[line - task.first].replace("path", "location") + "  # changed"
    if task.family.format == "sweep":
        prompt = task.prompt
        assert isinstance(prompt, RawPrompt)
        prefill = prompt.text.rpartition("<|file_sep|>updated/")[2].count("\n") - 1
        return "".join(f"{each}\n" for each in new[prefill:])
    starts = [at for at, each in enumerate(new) if at % 10 == 0] + [len(new)]
    block = max(at for at in range(len(starts) - 1) if starts[at] <= line - task.first)
    body = "".join(f"{each}\n" for each in new[starts[block] : starts[block + 1]])
    return f"<|marker_{block + 1}|>{body}<|marker_{block + 2}|>"


def shares(family: EditFamily, places: Sequence[tuple[int, int, bool]]) -> list[float]:
    """Return the share of the window's tokens that is read, for cursor, changed line, and whether it is a jump."""
    found = []
    for cursor, line, is_jump in places:
        task = task_for(state(cursor, is_jump=is_jump), family, 4096.0)
        whole = sum(estimate_tokens(f"{each}\n") for each in task.lines)
        text, made = read(task, answer_of(task, line))
        assert made is not None
        assert made.new != made.old
        found.append(estimate_tokens(text) / whole)
    return found


def test_four_tenths_of_a_rewrite_are_read_in_the_median() -> None:
    places = [
        (20, 21, False),
        (20, 22, False),
        (20, 21, False),
        (25, 25, True),
        (35, 35, True),
        (11, 11, True),
    ]
    sweep = shares(SWEEP, places)
    zeta = shares(ZETA_2_1, [(20, line, False) for line in (21, 22, 23, 25, 26, 21)])

    assert median(sweep + zeta) <= MOST_READ, (sweep, zeta)
