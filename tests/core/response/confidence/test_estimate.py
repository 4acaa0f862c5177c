"""How likely an answer is right, and how much of it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.confidence import area, fit, read, unseen
from llm_lsp.core.generation import Finish, Generation, TokenLogprobs
from llm_lsp.core.response.confidence.estimate import MOST_SHIFT, WEIGHTS, Calibration, Eagerness, chances
from llm_lsp.core.response.confidence.sure_extent import cuts, sure_extent


def generation(*tokens: tuple[str, float], phrases: tuple[int, ...] = ()) -> Generation:
    text, ends = "", []
    for token, _ in tokens:
        text += token
        ends.append(len(text))
    values = tuple(value for _, value in tokens)
    return Generation(
        1, text, Finish.CUT, (len(text),), phrases=phrases, logprobs=TokenLogprobs((*ends,), values)
    )


def shown(answer: Generation, typed: int = 0, eagerness: Eagerness = "medium") -> str | None:
    """Return what is shown of an answer inside of a line."""
    ends = cuts(answer, typed, len(answer.text))
    extent = sure_extent(
        answer, typed, ends, starts_line=False, eagerness=eagerness, calibration=Calibration()
    )
    return answer.text[typed : extent.end] if extent.is_shown else None


SURE, UNSURE = -0.01, -3.0
EXTENTS = [
    pytest.param(generation(("a", SURE), (" b", SURE)), "a b", id="all of it is sure"),
    pytest.param(generation(("a", SURE), (" =", SURE), (" b", UNSURE), phrases=(1,)), "a", id="up to the last sure place"),
    pytest.param(generation(("a", SURE), (" =", SURE), (" b", UNSURE)), None, id="no place before what is unsure"),
    pytest.param(generation(("a", UNSURE), (" b", SURE), phrases=(1,)), None, id="the first token is unsure"),
    pytest.param(generation(("if a:\n", SURE), ("    b", UNSURE), ("\n", SURE)), "if a:", id="the first line of a block"),
    pytest.param(generation(("f(\n", SURE), ("    b", UNSURE), (")", SURE)), None, id="no line that goes on"),
    pytest.param(generation(("x = 1\n", SURE), ("y = 2", SURE)), "x = 1\ny = 2", id="all lines"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "expected"), EXTENTS)
def test_an_answer_is_shown_up_to_its_last_sure_place(answer: Generation, expected: str | None) -> None:
    assert shown(answer) == expected


def test_the_more_eager_the_more_is_shown() -> None:
    answer = generation(("a", -0.05), (" b", -0.45), (" c", -0.3), (" d", -0.5), phrases=(1, 3, 5))
    lengths = [len(shown(answer, 0, eagerness) or "") for eagerness in ("low", "medium", "high")]
    assert lengths == sorted(lengths) and len(set(lengths)) == 3


@given(
    st.lists(st.tuples(st.sampled_from(["a", " b", "ccc", "("]), st.floats(-9, 0)), min_size=1, max_size=12),
    st.data(),
)
def test_typing_along_never_makes_it_less_likely(
    tokens: list[tuple[str, float]], data: st.DataObject
) -> None:
    answer = generation(*tokens)
    end = len(answer.text)
    typed = data.draw(st.integers(0, end - 1))
    before, after = (
        chances(answer.logprobs, at, (end,), starts_line=at == 0)[0]
        for at in (typed, min(typed + 1, end - 1))
    )
    assert after >= before


def test_a_first_token_without_a_value_makes_it_less_likely() -> None:
    known, unknown = TokenLogprobs((2, 4), (-0.1, -0.1)), TokenLogprobs((4,), (-0.1,), 2)
    one, other = (chances(each, 0, (4,), starts_line=False)[0] for each in (known, unknown))
    assert other < one
    assert chances(unknown, 2, (4,), starts_line=False)[0] > one


def test_outcomes_move_the_estimate_to_how_often_it_is_right() -> None:
    often, seldom = Calibration(), Calibration()
    for _ in range(99):
        often, seldom = often.seen(0.5, right=True), seldom.seen(0.5, right=False)
    assert (often.shift, seldom.shift) == (MOST_SHIFT, -MOST_SHIFT)


def test_the_weights_are_those_of_the_fit_and_tell_right_from_wrong_on_unseen_sources() -> None:
    rows = read()
    assert [round(weight, 2) for weight in fit(rows)] == pytest.approx(WEIGHTS, abs=0.02)
    assert area([one for one in unseen(rows) if one[0].whole and "session" not in one[0].source]) >= 0.82


def test_a_long_answer_of_unlikely_tokens_is_not_shown() -> None:
    assert shown(generation(*[(" a", -9999.0)] * 500)) is None
