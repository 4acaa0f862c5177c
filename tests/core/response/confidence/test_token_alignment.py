"""Which tokens of an answer belong to the text that is kept of it."""

from __future__ import annotations

import pytest

from llm_lsp.core.generation import NO_LOGPROBS, Finish, Generation, Token, TokenLogprobs
from llm_lsp.core.response.confidence.token_alignment import TokenAlignment


def aligned(pieces: list[str], text: str, forced: str = "") -> list[tuple[int, float]]:
    """Align an answer whose tokens have the values 0, -1, -2 and so on."""
    alignment = TokenAlignment(forced)
    for number, piece in enumerate(pieces):
        alignment.add(piece, (Token(piece, -float(number)),))
    found = alignment.of(text)
    return list(zip(found.ends, found.values, strict=True))


@pytest.mark.parametrize(
    ("pieces", "text", "forced", "expected"),
    [
        pytest.param(["a", " b"], "a b", "", [(1, 0.0), (3, -1.0)], id="the whole answer"),
        pytest.param(["a", " b", "\n", "c"], "a b", "", [(1, 0.0), (3, -1.0)], id="its first line"),
        pytest.param([" b", ")\n"], " b)", "", [(2, 0.0), (3, -1.0)], id="a token that goes on after the text"),
        pytest.param(["re", "turn", " x"], "turn x", "re", [(4, -1.0), (6, -2.0)], id="forced tokens"),
        pytest.param(["return", " x"], "turn x", "re", [(6, -1.0)], id="a token that is forced in part"),
        pytest.param(["def", " def", " f"], " def f", "def", [(4, -1.0), (6, -2.0)], id="text like the forced one"),
        pytest.param(["```\n", "a", " b", "\n```"], "a b", "", [(1, -1.0), (3, -2.0)], id="a wrapped answer"),
        pytest.param(["a", " b"], "a  b", "", [], id="text that was changed"),
        pytest.param(["a"], "", "", [], id="no text"),
    ],
)  # fmt: skip
def test_tokens_of_the_kept_text_have_their_values(
    pieces: list[str], text: str, forced: str, expected: list[tuple[int, float]]
) -> None:
    assert aligned(pieces, text, forced) == expected


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param(((), (Token("b", -1.0),)), id="none at first"),
        pytest.param(((Token("a", -1.0),), ()), id="none at last"),
        pytest.param(((Token("a", -1.0),), (Token("bc", -1.0),)), id="too long"),
    ],
)
def test_an_answer_with_tokens_for_a_part_only_has_none(tokens: tuple[tuple[Token, ...], ...]) -> None:
    alignment = TokenAlignment()
    for text, given in zip("ab", tokens, strict=True):
        alignment.add(text, given)
    assert alignment.of("ab") == NO_LOGPROBS


def test_what_a_filter_replaced_has_no_values_and_the_rest_moves() -> None:
    logprobs = TokenLogprobs((1, 3, 6, 8), (-1.0, -2.0, -3.0, -4.0))
    generation = Generation(1, "a bb c d", Finish.CUT, (6, 8), logprobs=logprobs)
    assert generation.shown_as("  B", 1, 6).logprobs == TokenLogprobs((1, 6), (-1.0, -4.0))
