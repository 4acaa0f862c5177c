from __future__ import annotations

import pytest

from llm_lsp.core.prompt.chat_prompt import (
    EXAMPLES,
    THINK,
    THINKING_TOKENS,
    ChatStyle,
    Example,
    chat_prompt,
)
from llm_lsp.core.prompt.prompt_builder import stop_rule
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.text.window import Window

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


def test_a_line_that_is_begun_for_the_model_is_not_repeated() -> None:
    window = Window("import math\n", "    return ", "", "", "python", "a.py")
    style = ChatStyle(prefills=True)

    prompt = chat_prompt(window, Mode.LINE, (), 128, style)

    # White space at its end is the model's, which writes it as one token with what follows.
    assert prompt.messages[-1] == ("assistant", "<fill>    return")


@pytest.mark.parametrize(
    ("line", "answer", "kept"),
    [
        pytest.param("    return ", " math.pi</fill>", "math.pi", id="it goes on"),
        pytest.param("    return ", "math.pi</fill>", "math.pi", id="without the blank"),
        pytest.param("    return ma", "th.pi</fill>", "th.pi", id="inside a word"),
        pytest.param("aa", "aa</fill>", "aa", id="what looks like a repetition is none"),
        pytest.param("    ", "    pass</fill>", "pass", id="nothing but indentation"),
    ],
)
def test_the_answer_to_a_begun_line_goes_on_from_there(line: str, answer: str, kept: str) -> None:
    rule = stop_rule(Window("", line, "", "", "python", "a.py"), CHAT, Mode.LINE, ChatStyle(prefills=True))
    for character in answer:
        if rule.feed(character):
            break
    rule.end()

    assert rule.text == kept


def test_a_model_that_may_think_is_asked_to_and_has_room() -> None:
    prompt = chat_prompt(WINDOW, Mode.LINE, (), 128, ChatStyle(prefills=True, thinks=True))

    assert prompt.thinks
    assert prompt.messages[-1][0] == "user"
    assert prompt.messages[-1][1].endswith(THINK)
    # A mark among the thoughts is no end of the answer; and both share the room.
    assert (prompt.stop, prompt.max_tokens) == ((), 128 + THINKING_TOKENS)


def test_role_and_examples_can_be_told_by_the_user() -> None:
    style = ChatStyle("You are terse.", (Example("x = f(", "1)\ny = 2", ")", "a.py", "python"),))

    prompt = chat_prompt(WINDOW, Mode.LINE, (), 128, style)

    assert prompt.messages[:-1] == (
        ("system", "You are terse."),
        (
            "user",
            '<file path="a.py" language="python">\n{{HOLE}})\n</file>\n'
            "Complete the block. The line begins: <fill>x = f(</fill>",
        ),
        ("assistant", "<fill>x = f(1)\ny = 2</fill>"),
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.language)
def test_our_examples_are_answered_as_we_would_read_them(example: Example) -> None:
    above, newline, line = example.before.rpartition("\n")
    window = Window(above + newline, line, "", example.after, example.language, example.path)
    rule = stop_rule(window, CHAT, Mode.HOLE)

    rule.feed(f"<fill>{line}{example.answer}</fill>")
    rule.end()

    assert rule.text == example.answer
