"""What a key command prints is a key, with the time at which it expires, or a fault without the output."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.privacy.issued_key import KeyOutputError, issued_key

NOW = 1_800_000_000.0
CANARY = "CANARY-0123456789"


def jwt(**claims: object) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])


@pytest.mark.parametrize(
    ("output", "key", "expires_in"),
    [
        pytest.param("sk-1\n", "sk-1", None, id="a plain key"),
        pytest.param("sk-1\r\nuser: me\n", "sk-1", None, id="a password manager's entry"),
        pytest.param("\ufeff  sk-1  ", "sk-1", None, id="blanks and a byte order mark"),
        pytest.param('{"access_token": "t", "expires_in": 3600}', "t", 3600, id="a token response"),
        pytest.param('{\n "access_token": "t",\n "expires_in": "60"\n}\n', "t", 60, id="on lines, as text"),
        pytest.param('{"access_token": "t"}', "t", None, id="without expires_in"),
        pytest.param('{"access_token": "t", "expires_in": true}', "t", None, id="an odd expires_in"),
        pytest.param('{"access_token": "t", "expires_in": 1e999}', "t", None, id="for ever"),
        pytest.param(jwt(exp=NOW + 90, sub="me"), jwt(exp=NOW + 90, sub="me"), 90, id="a web token"),
        pytest.param(jwt(exp="soon"), jwt(exp="soon"), None, id="an odd exp"),
        pytest.param("a.b.c", "a.b.c", None, id="three parts of nothing"),
        pytest.param("a.W10.c", "a.W10.c", None, id="a list in place of claims"),
        pytest.param(
            json.dumps({"access_token": jwt(exp=NOW + 90), "expires_in": 30}),
            jwt(exp=NOW + 90),
            30,
            id="both",
        ),
        pytest.param(json.dumps({"access_token": jwt(exp=NOW + 90)}), jwt(exp=NOW + 90), 90, id="inside"),
    ],
)
def test_a_key_and_its_expiry_are_read(output: str, key: str, expires_in: float | None) -> None:
    issued = issued_key(output, NOW)

    assert issued.reveal() == key
    assert (issued.lifetime.expires_at - NOW if issued.lifetime else None) == expires_in


@pytest.mark.parametrize(
    ("output", "words"),
    [
        pytest.param("", "nothing", id="nothing"),
        pytest.param(" \r\n\n", "nothing", id="blank lines"),
        pytest.param(f"Hello {CANARY}\n{CANARY}", "2 lines, and the first is no key", id="a greeting"),
        pytest.param(f"{CANARY} x", "no key", id="a blank"),
        pytest.param(f"{CANARY}é", "no key", id="no ASCII"),
        pytest.param(CANARY * 600, "too long", id="too long"),
        pytest.param(f'{{"access_token": "{CANARY}"', "cannot be read", id="half a JSON object"),
        pytest.param(f'{{"token": "{CANARY}"}}', "without an access_token", id="another field"),
        pytest.param(f'{{"access_token": ["{CANARY}"]}}', "without an access_token", id="no text"),
        pytest.param(f'{{"access_token": "{CANARY} x"}}', "no key", id="a blank in a token"),
        pytest.param(f'{{"access_token": "{CANARY}", "expires_in": 0}}', "expired", id="expires at once"),
        pytest.param(f'{{"access_token": "{CANARY}", "expires_in": -5}}', "expired", id="expired before"),
        pytest.param(jwt(exp=NOW - 1, sub=CANARY), "expired", id="an old web token"),
    ],
)
def test_what_is_no_key_is_a_fault_without_the_output(output: str, words: str) -> None:
    with pytest.raises(KeyOutputError, match=words) as caught:
        issued_key(output, NOW)
    assert CANARY not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("life_s", "ahead_s"), [(3600, 300), (60, 12), (1, 0.2)])
def test_a_key_is_to_be_replaced_before_it_expires(life_s: float, ahead_s: float) -> None:
    lifetime = issued_key(json.dumps({"access_token": "t", "expires_in": life_s}), NOW).lifetime
    assert lifetime is not None
    assert lifetime.expires_at - lifetime.refresh_at == pytest.approx(ahead_s)


@given(
    st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps)
)
def test_any_output_is_a_key_or_one_line(output: str) -> None:
    try:
        assert issued_key(output, NOW).reveal().strip()
    except KeyOutputError as exc:
        assert "\n" not in str(exc)
