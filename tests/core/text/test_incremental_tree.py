"""A tree that is updated is the tree of the new text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.core.text.text import Point, Text, changed_lines

PIECES = st.sampled_from(
    [
        "def f(a):\n",
        "    return a\n",
        "x = 'é'\n",
        "class C:\n",
        '"""\n',
        "(",
        ")",
        "\r\n",
        "\n",
        "😀",
        "\t",
        "a",
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
LONG = "".join(f"value_{number} = compute({number})\n" for number in range(900))


@given(TEXTS, TEXTS, st.integers(0, 40), st.integers(0, 40), st.integers(0, 30))
def test_an_updated_tree_is_as_if_parsed_anew(old: str, new: str, line: int, stop: int, column: int) -> None:
    text = Text.of(old)
    tree = SyntaxTree.of(text, "python")
    assert tree is not None
    later = text.edit(Point(line, column), Point(stop, column), new)

    updated, fresh = tree.edited(later, "python"), SyntaxTree.of(later, "python")

    assert updated is not None and fresh is not None
    assert (updated.root.end_byte, updated.root.end_point) == (fresh.root.end_byte, fresh.root.end_point)
    if not fresh.root.has_error:  # how an error is mended depends on what was there
        assert str(updated.root) == str(fresh.root)


def test_a_long_text_is_compared_where_its_blocks_differ() -> None:
    text = Text.of(LONG)
    later = text.edit(Point(700, 0), Point(702, 0), "one\n")

    assert changed_lines(text, later) == (700, 702, 701)
    assert changed_lines(text, text) == (901, 901, 901)
