"""A secret is not revealed unless explicitly asked for."""

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest

from llm_lsp.core.privacy.secret import Secret, clean_key
from llm_lsp.errors import ConfigError

CANARY = "sk-canary-0123"


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{}".format,
        "{:>20}".format,
        "{!r}".format,
        lambda s: repr([s]),
        lambda s: f"{s}",
    ],
)
def test_a_secret_shows_itself_in_no_text(shown: Callable[[Secret], str]) -> None:
    assert CANARY not in shown(Secret(CANARY))
    assert "***" in shown(Secret(CANARY))


def test_a_secret_gives_its_value_only_when_asked() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy, hash], ids=lambda f: f.__name__)
def test_a_secret_is_not_copied_away(write: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError):
        write(Secret(CANARY))


def test_secrets_are_equal_by_value() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY


def test_locals_in_a_traceback_do_not_show_a_secret() -> None:
    def fail(key: Secret) -> None:
        raise ValueError

    try:
        fail(Secret(CANARY))
    except ValueError as exc:
        told = "".join(traceback.TracebackException.from_exception(exc, capture_locals=True).format())
    assert "key = ***" in told


@pytest.mark.parametrize("text", [f"{CANARY}\n", f"  {CANARY}\r\n", f"\t{CANARY}", CANARY])
def test_a_key_is_stripped_of_what_was_pasted_around_it(text: str) -> None:
    assert clean_key(text).reveal() == CANARY


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n", id="blank"),
        pytest.param(f"{CANARY} {CANARY}", id="two words"),
        pytest.param(f"{CANARY}\nX-Evil: 1", id="a line break inside"),
        pytest.param(f"{CANARY}\0", id="NUL"),
        pytest.param(f"{CANARY}é", id="not ASCII"),
        pytest.param(CANARY * 600, id="too long"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        clean_key(text)
    assert CANARY not in str(caught.value)
