from __future__ import annotations

import pytest

from llm_lsp.core.text.invisible_chars import unsafe_characters, visible, without_hidden
from tests.core.text.hidden_chars import HIDDEN


@pytest.mark.parametrize("character", HIDDEN, ids=lambda character: f"U+{ord(character):04X}")
def test_a_hidden_character_is_found(character: str) -> None:
    assert unsafe_characters(f"a{character}b") == {character}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 1\n\tb",
        "计算（距离）",
        "naïve café",
        "שלום",
        "हिन्दी",
        "❤️ 👩‍💻 👍🏽 1️⃣",
        "e\u0301",
        "→ ∀x ∈ ℝ",
        "\u00a0\u3000",
    ],
)
def test_what_people_write_is_safe(text: str) -> None:
    assert unsafe_characters(text) == frozenset()


@pytest.mark.parametrize("character", HIDDEN, ids=lambda character: f"U+{ord(character):04X}")
def test_hidden_characters_can_be_left_out(character: str) -> None:
    assert without_hidden(f"{character}❤️ a{character}b\n") == "❤️ ab\n"


@pytest.mark.parametrize("text", ["a = 1\n\tb", "❤️ 👩‍💻 👍🏽 1️⃣", "שלום", "e\u0301"])
def test_nothing_else_is_left_out(text: str) -> None:
    assert without_hidden(f"{text}\u200b") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = 1\n\tb", "a = 1\n\tb"),
        ("\x1b]52;c;cm0=\x07", "\\x1b]52;c;cm0=\\x07"),
        ("\u202e\ud800", "\\u202e\\ud800"),
        ("❤️", "❤️"),
    ],
)
def test_a_terminal_sees_hidden_characters_and_obeys_none(text: str, shown: str) -> None:
    assert visible(text) == shown
