from __future__ import annotations

import pytest

from llm_lsp.core.chat import EXAMPLES, ChatOpening, chat_prompt
from llm_lsp.core.prompt import stop_rule
from llm_lsp.core.types import Mode, Profile
from llm_lsp.core.window import Window

WINDOW = Window("import math\n", "    return ma", "", "\n\nprint(1)\n", "python", "a/b.py")
CHAT = Profile("test", "gpt", "chat")


def test_what_never_changes_comes_first() -> None:
    one = chat_prompt(WINDOW, Mode.LINE, (), 128)
    other = chat_prompt(Window("x\n", "y", "", "", "go", "c.go"), Mode.BLOCK, (), 128)

    assert one.messages[:-1] == other.messages[:-1]
    assert [role for role, _ in one.messages] == ["system", *["user", "assistant"] * len(EXAMPLES), "user"]
    assert one.stop == ("</fill>",)


def test_the_typed_line_stands_last() -> None:
    before = chat_prompt(WINDOW, Mode.LINE, (), 128).messages[-1][1]
    after = chat_prompt(
        Window("import math\n", "    return math", "", "\n\nprint(1)\n", "python", "a/b.py"),
        Mode.LINE,
        (),
        128,
    )

    assert before.endswith("<fill>    return ma</fill>")
    assert after.messages[-1][1].startswith(before.removesuffix("</fill>"))
    assert "import math\n{{HOLE}}\n\nprint(1)" in before


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param("<fill>    return math.pi</fill>", "th.pi", id="as asked for"),
        pytest.param("<fill>\n    return math.pi\n</fill>", "th.pi\n", id="the mark on a line of its own"),
        pytest.param("    return math.pi\n", "th.pi\n", id="without a mark"),
        pytest.param("return math.pi", "th.pi", id="without the indentation"),
        pytest.param("th.pi", "th.pi", id="without the repeated line"),
        pytest.param("```python\n    return math.pi\n```", "th.pi\n", id="in a fence"),
        pytest.param("```\n<fill>return math.pi</fill>\n```", "th.pi", id="in a fence and a mark"),
        pytest.param(
            "<think>\nThe circle </fill>?\n</think>\n\n<fill>    return math.pi</fill>",
            "th.pi",
            id="after thinking",
        ),
        pytest.param("<fill>    return ma</fill>", "", id="nothing is missing"),
        pytest.param("<think>It is", "", id="thinking to the end"),
        pytest.param("", "", id="nothing at all"),
    ],
)
def test_what_is_no_code_is_taken_off(answer: str, kept: str, size: int) -> None:
    rule = stop_rule(WINDOW, CHAT, Mode.LINE)

    for start in range(0, len(answer), size):
        if rule.feed(answer[start : start + size]):
            break
    rule.end()

    assert rule.text == kept


def test_code_passes_as_it_comes_once_it_has_begun() -> None:
    opening = ChatOpening("x = ")

    assert opening.feed("<fill>x = 1") == "1"
    assert opening.feed(" + <fill>") == " + <fill>"
    assert opening.end() == ""
