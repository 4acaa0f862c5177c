from __future__ import annotations

from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.commit_history import CommitChange, FileChange, Hunk
from llm_lsp.evaluation.corpus.hole_selection import Hole
from llm_lsp.evaluation.corpus.typed_lines import drawn_lines

BEFORE = "def f():\n    first()\n    last()\n"
HUNKS = (
    Hunk(1, (), ("    one = 1\n", "\n", "    two = 2\n")),
    Hunk(2, ("    last()\n",), ("    last(one)\n", "    three(two)\n")),
)


def holes(*hunks: Hunk, seed: int = 1) -> list[Hole]:
    file = FileChange("a.py", "python", Text.of(BEFORE), hunks)
    return drawn_lines(iter([CommitChange("c" * 40, (file,))]), seed)


def test_added_lines_are_missing_where_they_stand_and_what_comes_below_is_not_there_yet() -> None:
    found = {hole.missing: str(hole.document("u").text) for hole in holes(*HUNKS)}

    assert found == {
        "one = 1": "def f():\n    \n    first()\n    last()\n",
        "two = 2": "def f():\n    one = 1\n\n    \n    first()\n    last()\n",
        "three(two)": "def f():\n    one = 1\n\n    two = 2\n    first()\n    last(one)\n    \n",
    }


def test_the_order_depends_on_the_seed_alone() -> None:
    def order(seed: int) -> list[str]:
        return [hole.missing for hole in holes(*HUNKS, seed=seed)]

    assert order(3) == order(3)
    assert len({tuple(order(seed)) for seed in range(9)}) > 1


def test_short_and_long_lines_are_no_holes() -> None:
    assert holes(Hunk(1, (), ("    }\n", "x" * 200 + "\n"))) == []
