from __future__ import annotations

import random
import string

import pytest

from llm_lsp.core.secrets.randomness import entropy_bits, is_machine_made, is_random, word_share


@pytest.mark.parametrize("count", [24, 40])
@pytest.mark.parametrize(
    "alphabet",
    [string.ascii_letters + string.digits, string.ascii_lowercase + string.digits, "0123456789abcdef"],
    ids=["letters", "small letters", "hexadecimal"],
)
def test_nearly_all_random_values_look_made_by_a_machine(alphabet: str, count: int) -> None:
    dice = random.Random(1)
    values = ["".join(dice.choices(alphabet, k=count)) for _ in range(500)]

    assert sum(map(is_machine_made, values)) >= 0.97 * len(values)


@pytest.mark.parametrize(
    "value",
    [
        "", "x", "get_secret_value", "AccessTokenProvider", "oauth2_bearer_token", "projects/admin/secrets/versions/1",
        "sha256-with-encryption", "aaaaaaaaaaaa1", "application/x-www-form-urlencoded", "TestWithColons/127.0.0.1",
    ],
)  # fmt: skip
def test_names_and_words_do_not(value: str) -> None:
    assert not is_machine_made(value)


def test_marks_between_letters_make_a_word_no_less_of_one() -> None:
    assert word_share("serde_json::private") == word_share("serdejsonprivate") > 0.6


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("tr0ub4dor&3", True),
        ("correcthorse", False),
        ("config2.secret_key", False),
        ("12345678", False),
        ("", False),
    ],
)
def test_a_persons_password_has_letters_with_digits(value: str, expected: bool) -> None:
    assert is_random(value) is expected


def test_entropy_is_counted_by_character() -> None:
    assert entropy_bits("aaaa") == 0
    assert entropy_bits("abcdefgh") == 3
