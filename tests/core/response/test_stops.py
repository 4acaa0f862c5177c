from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.line_start import LineStart, Rejoin
from llm_lsp.core.prompt.prompt_builder import stop_rule
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.response.stops import StopRule
from llm_lsp.core.text.window import Window, cut_window
from tests.core.response.golden import Case, cases

QWEN = Profile("test", "qwen2.5-coder-0.5b", "qwen")
EMPTY = Window("", "", "", "", "python")


def read(rule: StopRule, answer: str, size: int, finish: Finish = Finish.LENGTH) -> str:
    """Feed an answer in pieces of `size` characters, and give what is kept."""
    for start in range(0, len(answer), size):
        if rule.feed(answer[start : start + size]):
            return rule.text
    rule.end(finish)
    return rule.text


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("case", cases("stops"), ids=lambda case: case.name)
def test_an_answer_ends_where_it_should(case: Case, size: int) -> None:
    document, point = case.document()
    rule = StopRule(
        cut_window(document, point, 2048),
        Mode(case.head.get("mode", "line")),
        ("<|endoftext|>", "<|fim_pad|>"),
    )

    kept = read(rule, case.sections["answer"], size, Finish(case.head.get("finish", "length")))

    assert kept == case.sections["kept"]


@pytest.mark.parametrize("mode", Mode)
@given(
    pieces=st.lists(
        st.sampled_from(("a\n", "    b()\n", "        c", ":\n", "}\n", "\n", " ", "<", "|>", "(", "else"))
        | st.text(alphabet="ab:{} \n<|", max_size=6),
        max_size=20,
    )
)
@settings(max_examples=200)
def test_what_is_kept_only_ever_grows(mode: Mode, pieces: list[str]) -> None:
    rule = StopRule(Window("if a:\n", "    ", "", "\n    b()\n", "python"), mode, ("<|>",))
    before = ""
    for piece in pieces:
        done = rule.feed(piece)
        assert rule.text.startswith(before.removesuffix("\r"))
        before = rule.text
        if done:
            break
    rule.end()
    assert rule.text.startswith(before)


def test_a_line_is_complete_before_its_block_is() -> None:
    rule = StopRule(EMPTY, Mode.LINE)

    seen = [(rule.feed(piece), rule.first_line_done, rule.mode) for piece in ("if a:", "\n", "    b()")]

    assert seen == [(False, False, Mode.LINE), (False, True, Mode.BLOCK), (False, True, Mode.BLOCK)]


def test_a_line_stays_a_line_where_it_may_not_grow() -> None:
    rule = StopRule(EMPTY, Mode.LINE, may_grow=False)

    assert rule.feed("if a:\n    b()\n")
    assert rule.text == "if a:\n"
    assert rule.mode is Mode.LINE


def test_nothing_is_read_after_the_end() -> None:
    rule = StopRule(EMPTY, Mode.LINE)
    rule.feed("a\n")

    assert rule.feed("b\n")
    rule.end()

    assert rule.text == "a\n"


def test_the_beginning_of_a_stop_is_held_back_and_given_at_the_end() -> None:
    rule = StopRule(EMPTY, Mode.LINE, ("<|endoftext|>",))

    rule.feed("a <|end")
    assert rule.text == "a "
    rule.end()

    assert rule.text == "a <|end"


def test_a_stop_in_two_pieces_ends_the_answer() -> None:
    rule = StopRule(EMPTY, Mode.LINE, ("<|endoftext|>",))

    assert not rule.feed("a<|endof")
    assert rule.feed("text|>b")
    assert rule.text == "a"


def test_control_tokens_of_the_document_are_mended_in_the_answer() -> None:
    window = Window('PAD = "<|fim_pad|>"\n', "    x = ", "", "", "python")
    rule = stop_rule(window, QWEN, Mode.LINE)

    rule.feed('"< |fim_pad|>"\n')

    assert rule.text == '"<|fim_pad|>"\n'


@pytest.mark.parametrize(
    ("start", "answer", "joined"),
    [
        pytest.param(("   ", " "), " return 1", "return 1", id="the blank that was not sent is taken off"),
        pytest.param(("   ", " "), "return 1", "return 1", id="where it is left out, too"),
        pytest.param(("   ", " "), "     return 1", "    return 1", id="deeper"),
        pytest.param(("   ", " "), "    return 1", "    return 1", id="no line stands at seven blanks"),
        pytest.param(("   ", " "), "  * text", " * text", id="but for the stars of a comment"),
        pytest.param(("   ", " "), "\nreturn 1", "\nreturn 1", id="a line end after an indentation"),
        pytest.param(("", "\t"), "\treturn 1", "return 1", id="so is a tab"),
        pytest.param(("x", ".app"), ".append(1)", "end(1)", id="so is a word"),
        pytest.param(("if a", " <="), " <= b:", " b:", id="so is an operator"),
        pytest.param(("if a", " <="), " < b:", None, id="another operator than the user's is refused"),
        pytest.param(("x =", " "), "\n", "\n", id="a line end instead of the blank stays"),
        pytest.param(("foo(", " "), "a)", "a)", id="another word after a bracket stays"),
        pytest.param(("return", " "), "ed = 1", None, id="a longer word than the user's is refused"),
        pytest.param(("x =", " "), "= 1", None, id="a longer operator than the user's is refused"),
        pytest.param(("x", ".app"), ".add(1)", None, id="another word than the user's is refused"),
        pytest.param(("x", ""), " = 1", " = 1", id="nothing to join"),
        pytest.param(("x", ".app"), ".ap", "", id="an answer that ends too early"),
    ],
)
def test_an_answer_joins_on_to_the_line(start: tuple[str, str], answer: str, joined: str | None) -> None:
    rejoin = Rejoin(LineStart(*start, after_middle=True), forced=False)

    text = "".join(map(rejoin.feed, answer)) + rejoin.end()

    assert rejoin.refused == (joined is None)
    assert text == (joined or "")


def test_a_held_answer_begins_with_the_whole_indentation() -> None:
    rejoin = Rejoin(LineStart("   ", " ", after_middle=True), forced=True)

    assert rejoin.feed("    return 1") == "   return 1"


def test_a_refused_answer_is_not_read_on() -> None:
    rule = stop_rule(Window("", "x.app", "", "", "python"), replace(QWEN, forces_start=True), Mode.LINE)

    assert rule.feed(".add")
    assert rule.text == ""
