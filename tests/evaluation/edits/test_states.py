from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.commit_history import CommitChange, FileChange, Hunk
from llm_lsp.evaluation.edits.states import EditState, break_off, states

BEFORE = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
HUNKS = (
    Hunk(0, (), ("zero\n", "half\n")),
    Hunk(1, ("two\n",), ("2\n",)),
    Hunk(3, ("four\n", "five\n"), ()),
    Hunk(6, ("seven\n",), ("7\n", "8\n")),
)
AFTER = "zero\nhalf\none\n2\nthree\nsix\n7\n8\n"


def change(*hunks: Hunk, before: str = BEFORE, path: str = "a.py") -> FileChange:
    return FileChange(path, "python", Text.of(before), hunks)


def made(*files: FileChange, seed: int = 1) -> list[EditState]:
    return list(states(CommitChange("c" * 40, files), seed))


def finished(state: EditState) -> str:
    """Return the text with all that is still to come."""
    text = state.document.text
    for hunk in reversed(state.remaining):
        assert tuple(text.lines(hunk.start, hunk.start + len(hunk.old))) == hunk.old
        text = hunk.apply(text)
    return str(text)


@pytest.mark.parametrize("seed", range(5))
def test_every_state_leads_to_the_finished_file(seed: int) -> None:
    assert {finished(state) for state in made(change(*HUNKS), seed=seed)} == {AFTER}


def test_from_top_to_bottom_each_hunk_leaves_the_later_ones() -> None:
    whole = [state for state in made(change(*HUNKS)) if state.order == "down" and not state.is_half_typed]

    assert [len(state.remaining) for state in whole] == [3, 2, 1, 0]
    assert [str(state.document.text) for state in whole][-1] == AFTER
    assert [state.cursor for state in whole] == [(1, 4), (3, 1), (5, 0), (7, 1)]


def test_a_drawn_order_makes_the_same_hunks_and_depends_on_the_seed_alone() -> None:
    def drawn(seed: int) -> list[str]:
        return [state.id for state in made(change(*HUNKS), seed=seed) if state.order == "drawn"]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(9)}) > 1
    assert sorted(drawn(1)) == sorted(drawn(2))


def test_a_half_typed_hunk_leaves_its_rest() -> None:
    hunk = Hunk(1, ("value = compute(first)\n",), ("value = compute(first, second)\n",))
    half = [state for state in made(change(hunk, before="a\n" + hunk.old[0] + "b\n")) if state.is_half_typed]

    for state in half:
        (rest,) = state.remaining
        assert rest.new == hunk.new
        typed = state.document.text.line(1)
        assert typed.startswith("value = compute(first") and typed.endswith(")")
        assert typed not in (line.rstrip("\n") for line in (*hunk.old, *hunk.new))
        assert typed[: state.cursor.column] + ")" == typed


def test_a_half_typed_line_ends_as_the_files_lines_do() -> None:
    hunk = Hunk(1, (), ("some words here\r\n",))
    (half, *_) = [state for state in made(change(hunk, before="a\r\nb\r\n")) if state.is_half_typed]

    assert str(half.document.text).endswith("\r\nb\r\n")
    assert half.document.text.line_count == 4


def test_a_deletion_is_never_half_typed() -> None:
    assert not any(state.is_half_typed for state in made(change(HUNKS[2])))


def test_the_history_goes_on_from_file_to_file() -> None:
    files = change(HUNKS[1], path="a.py"), change(HUNKS[3], path="b.py")
    last = [state for state in made(*files) if state.order == "down"][-1]

    assert [burst.after.uri for burst in last.history.bursts] == ["file:///a.py", "file:///b.py"]
    assert [burst.edited_at for burst in last.history.bursts] == [0.0, 20.0]


@given(st.text(max_size=60), st.integers())
def test_what_breaks_off_is_a_beginning(typed: str, seed: int) -> None:
    kept = break_off(typed, Random(seed))

    assert typed.startswith(kept)
    assert len(kept) < max(1, len(typed))
