"""Typing along a shown suggestion makes no new call, even if filters changed the model's text."""

from __future__ import annotations

import pytest

from llm_lsp.core.provider_profile import Profile
from tests.doubles import settle
from tests.engine.rig import Rig, text_of

CASES = [
    pytest.param("python", "class A:\n", "def f(self):\n    return 1\n", id="moved to its column"),
    pytest.param("python", "def f(a):\n", "b = a\nreturn b\n", id="one line moved to its column"),
    pytest.param(
        "python", "def f(a):\n    return ", "return a + 1\n", id="the line's beginning is taken off"
    ),
    pytest.param("python", "# ", "# one, two and three\n", id="a comment's mark is taken off"),
    pytest.param("python", "x = value", "x = value + 1\n", id="an echo is taken off"),
    pytest.param("go", "func f() {\n", "    a := 1\n", id="blanks become a tab"),
    pytest.param("python", "x = ", "y + 1<|endoftext|>", id="a control token is cut"),
    pytest.param("python", "x = ", "y + 1\n", id="nothing was changed"),
    pytest.param("python", "class A:\r\n", "def f(self):\n    return 1\n", id="other line ends"),
    pytest.param("javascript", "const ", "const a = b + c;\n", id="a word is taken off"),
    pytest.param("markdown", "- ", "- one two three four\n", id="a list's mark is taken off"),
    pytest.param("javascript", "function f() {\n  if (a) {\n", "b();\nc();\n  }\n", id="a block is moved"),
]


@pytest.mark.parametrize("length", ["auto", "line"])
@pytest.mark.parametrize(("language", "text", "answer"), CASES)
async def test_typing_along_what_is_shown_makes_no_call(
    language: str, text: str, answer: str, length: str
) -> None:
    rig = Rig(settings={"completion": {"length": length}})
    await rig.write(text, language=language)
    asked = rig.ask()
    await rig.clock.advance(5)
    stream = rig.provider.streams[0]
    stream.finish(answer)
    shown = text_of(await asked)

    await type_along(rig, shown)

    assert len(rig.provider.streams) == 1
    await rig.engine.aclose()


async def test_typing_along_while_it_streams_makes_no_call() -> None:
    rig = Rig()
    await rig.write("def f(a):\n    return ")
    asked = rig.ask()
    await rig.clock.advance(5)
    rig.provider.streams[0].say("return a + 1\nx = ")
    shown = text_of(await asked)

    await type_along(rig, shown)

    assert len(rig.provider.streams) == 1
    await rig.engine.aclose()


async def test_the_end_of_a_line_follows_its_shown_beginning() -> None:
    small = Profile("scripted", "m-0.5b", "none", max_in_flight=2, is_small=True)
    rig = Rig(settings={"completion": {"length": "auto"}}, profile=small)
    line = "return alpha + beta + gamma + delta + epsilon + zeta + eta + theta + iota"
    await rig.write("def f(a):\n    return ")
    asked = rig.ask()
    await rig.clock.advance(5)
    rig.provider.streams[0].finish(f"{line}\n")
    shown = text_of(await asked)
    assert line.removeprefix("return ").startswith(shown) and not line.endswith(shown)

    await rig.type(shown)
    asked = rig.ask()
    await settle()
    following = text_of(asked.result())

    assert f"return {shown}{following}" in line
    assert len(rig.provider.streams) == 1
    await rig.engine.aclose()


async def type_along(rig: Rig, shown: str) -> None:
    """Type all of what is shown but its last character, a key at a time, and check that the rest stays shown."""
    for at, key in enumerate(shown[:-1]):
        await rig.type(key)
        rest = shown[at + 1 :].strip()
        asked = rig.ask()
        await settle()
        assert asked.done(), f"a call is made before {rest}"
        if rest:
            # Less may be shown at once, and the white space at the cursor is the user's.
            assert rest.startswith(text_of(asked.result()).strip())
