from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.edits.rewrite import MAX_TOKENS, WHOLE_SIDE, Rewrite, tokens


def rule(old: str, new: str) -> Rewrite:
    found = Rewrite.of(old, new)
    assert found is not None
    return found


def applied(old: str, new: str, line: str) -> str | None:
    match = rule(old, new).apply(line)
    return match.text if match else None


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        pytest.param("f(a)", "f(b)", "g(a, 1)", "g(b, 1)", id="a name, whatever is around it"),
        pytest.param("f(a)", "f(b)", "f(abc)", None, id="no part of a name"),
        pytest.param("f(a)", "f(b)", "h(a) + a", "h(b) + b", id="each time it stands there"),
        pytest.param("a + a", "b + b", "a * a", "b * b", id="several alike are one"),
        pytest.param("a: a.copy()", "b: a.copy()", "a: a.pop()", "b: a.pop()", id="only what was not kept"),
        pytest.param(
            "x.should.equal(1)", "equal(x, 1)", "y.should.equal(2)", None, id="a name that is copied"
        ),
        pytest.param(
            "is(a.b).equal(1)",
            "eq(a.b, 1)",
            "is(c.d).equal(2)",
            "eq(c.d, 2)",
            id="a sequence with anything between",
        ),
        pytest.param("is(a).equal(1)", "eq(a, 1)", "is(a)", None, id="no sequence without its end"),
        pytest.param("f(x, y)", "f(c, x, y)", "f(x, z)", "f(c, x, z)", id="put in between the same tokens"),
        pytest.param("f(x, y)", "f(c, x, y)", "f(z, y)", "f(c, z, y)", id="put in after two tokens"),
        pytest.param("f(x, y)", "f(c, x, y)", "g(z, y)", None, id="not put in elsewhere"),
        pytest.param(
            "return g(x)", "return await g(x)", "return g(y)", "return await g(y)", id="put in a word"
        ),
        pytest.param("a  = 1", "b  = 1", "a = 2", "b = 2", id="blanks around it do not matter"),
        pytest.param("f(a)", "f(b)", "f(b)", None, id="changed already"),
        pytest.param("数 = f(值)", "数 = f(新)", "g(值)", "g(新)", id="names in other scripts"),
    ],
)
def test_a_change_applies_to_another_line(old: str, new: str, line: str, expected: str | None) -> None:
    assert applied(old, new, line) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("f(a)", "f(a)", id="nothing"),
        pytest.param("f( a )", "f(a)", id="blanks"),
        pytest.param("x " * MAX_TOKENS, "y " * MAX_TOKENS, id="a line that is data"),
    ],
)
def test_what_is_no_rule(old: str, new: str) -> None:
    assert Rewrite.of(old, new) is None


@pytest.mark.parametrize(
    ("old", "new", "shape"),
    [
        pytest.param("f(a)", "f(b)", "name", id="a name"),
        pytest.param("f(1)", "f(2)", "tokens", id="a number"),
        pytest.param("f(a.b)", "f(c)", "tokens", id="a run of tokens"),
        pytest.param("is(a).equal(1)", "eq(a, 1)", "sequence", id="two places"),
        pytest.param("f(a)", "f(a, b)", "insertion", id="something put in"),
        pytest.param("f(a)", "f(a,)", "insertion", id="a mark put in"),
    ],
)
def test_the_shape_of_a_change(old: str, new: str, shape: str) -> None:
    assert rule(old, new).shape == shape


@pytest.mark.parametrize(
    ("line", "agreement"),
    [
        pytest.param("log(a, 1)", 2 * WHOLE_SIDE, id="all of the line"),
        pytest.param("log(a, 2)", WHOLE_SIDE + 1, id="all of one side and a token"),
        pytest.param("x.log(a, 2)", 3, id="three tokens"),
        pytest.param("a", 0, id="nothing"),
    ],
)
def test_the_context_that_agrees_is_counted(line: str, agreement: int) -> None:
    match = rule("log(a, 1)", "log(b, 1)").apply(line)

    assert match is not None
    assert match.agreement == agreement


def test_two_changes_are_the_same_by_what_they_replace() -> None:
    assert rule("f(a)", "f(b)").made("return a * a", "return b * b")
    assert not rule("f(a)", "f(b)").made("f(a)", "f(c)")
    assert not rule("f(a)", "f(b)").made("f(a, 1)", "f(b, 2)")


LINES = st.text(alphabet="ab1_(), .=\t'é", max_size=30)


@given(LINES)
def test_tokens_are_all_of_a_line(line: str) -> None:
    assert "".join(tokens(line)) == line


@given(LINES, LINES)
def test_a_rule_makes_of_its_own_line_what_it_was_made_of(old: str, new: str) -> None:
    found = Rewrite.of(old, new)
    if found is None or not found.anchors:
        return
    match = found.apply(old)
    # A sequence takes the first place that fits, which may be another one of the same line.
    assert match is None or not found.is_substitution or match.text == new


@given(LINES, LINES, LINES)
def test_a_line_that_a_rule_applies_to_holds_an_anchor(old: str, new: str, line: str) -> None:
    found = Rewrite.of(old, new)
    if found is None or not found.anchors or found.apply(line) is None:
        return
    assert any(anchor in line for anchor in found.anchors)
