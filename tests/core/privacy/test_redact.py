from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.privacy.redact import Redactor, holds_mask, redact_prompt
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, RawPrompt
from llm_lsp.core.text.text import Point, Text
from tests.core.privacy.keys import BODY, KEY, PRIVATE_KEY


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param('key = "AKIAIOSFODNN7EXAMPLE"', 'key = "AKIAXXXXXXXX0XXXXXXX"', id="keeps the prefix"),
        pytest.param("postgres://app:hunter2@db/x", "postgres://app:xxxxxx0@db/x", id="password in a URL"),
        pytest.param('password = "tr0ub4dor&3x"', 'password = "xx0xx0xxx&0x"', id="named"),
        pytest.param('{"apiKey": "9f8a7b6c5d4e"}', '{"apiKey": "0x0x0x0x0x0x"}', id="named in JSON"),
        pytest.param("db_password: s3cr3tV4lue99", "db_password: x0xx0xX0xxx00", id="named in YAML"),
        pytest.param("TOKEN=abcd1234efgh # mine", "TOKEN=xxxx0000xxxx # mine", id="named in a shell file"),
        pytest.param('secret: str = "a1b2c3d4e5f6"', 'secret: str = "x0x0x0x0x0x0"', id="with a type"),
        pytest.param("密码 password='kl9Qw8Er7Zx'", "密码 password='xx0Xx0Xx0Xx'", id="after Chinese"),
    ],
)
def test_a_mask_keeps_length_and_kinds_of_characters(text: str, masked: str) -> None:
    assert Redactor().redact(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def f(x):\n    return x\n",
        'password = "correct horse"',
        "token = tokens[index1]",
        "token: Token2Type",
        "self.secret = config2.get_secret1",
        'password = os.environ["DB_PASSWORD_2"]',
        'url = f"https://{user}:{password1}@host"',
        "https://localhost:8000/@vite/client",
        "sk-",
        "AKIA",
        "ghp_tooshort",
        'TOKENS = ("string12", "number34")',
        "-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA\n-----END CERTIFICATE-----",
        "class TaskQueue: risk-averse-and-sk-learn-like",
        "#define sk_SSL_CMP_ITAV_pop_free(sk, freefunc) x",
        "obj1KeysLength = obj1Keys.length",
        "const OAUTH_TOKEN_FORMAT = 'OAuth %s'",
        'token = "oauth2_bearer_token"',
        'self.token_re = re.compile(r"[A-Za-z0-9]+\\d")',
        'API_KEY = "<your-api-key-1>"',
        'password = "${DB_PASSWORD_1}"',
        "export TOKEN=$GITHUB_TOKEN_2",
        "  --webhook-secret=projects/myproj/secrets/whsecret/versions/1",
        "#password_encryption = scram-sha-256",
        "{hexKey: hexPKCS1TestPKCS8Key, other: x}",
        "SECKEYPrivateKeyInfo *pkcs8KeyBag;",
        "token_uri = (oauth2client.GOOGLE_TOKEN_INFO_URI + '?' + x)",
        "### Token Behavior",
        "password = get_password(user1)",
        "https://user:password@host.example/x",
        'AAABBB = "EURASIAPACIFICREGIONSOUTHE"',
        "-----BEGIN PRIVATE KEY-----",
        'begins = "-----BEGIN PRIVATE KEY-----"\nends = "-----END PRIVATE KEY-----"',
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:\n    return load(text)',
        "0x" + "0" * 64,
    ],
)
def test_what_only_looks_a_little_like_one_stays(text: str) -> None:
    assert Redactor().redact(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PRIVATE_KEY, id="whole"),
        pytest.param(PRIVATE_KEY.partition("\n")[2], id="begun above the prompt"),
        pytest.param(PRIVATE_KEY.rpartition("\n")[0], id="ended below the prompt"),
        pytest.param(f"x = 1\n{PRIVATE_KEY}\ny = 2\n{PRIVATE_KEY}\nz = 3", id="twice"),
        pytest.param('"' + PRIVATE_KEY.replace("\n", '\\n"\n"') + '"', id="in string literals"),
    ],
)
def test_a_private_key_is_masked(text: str) -> None:
    result = Redactor().redact(text)

    assert BODY not in result.text and BODY[:16] not in result.text
    assert len(result.text) == len(text)
    assert [line for line in result.text.split("\n") if "=" in line] == [
        line for line in text.split("\n") if "=" in line
    ]


def test_a_value_that_is_to_be_hidden_is_masked_everywhere() -> None:
    redactor = Redactor()
    assert redactor.redact("k = 'my own long key'").text == "k = 'my own long key'"

    redactor.hide("my own long key")

    assert redactor.redact("k = 'my own long key'\nmy own long key").found == ("exact", "exact")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param('my "long" key', r'{"k": "my \"long\" key"}', id="as JSON writes it"),
        pytest.param("my long/key+1", "?k=my%20long%2Fkey%2B1", id="as an address writes it"),
        pytest.param("-first line-\nthe second line\n", "k = 'the second line'", id="one of its lines"),
        pytest.param("kq83hf2v", "x kq83hf2v", id="short and made by a machine"),
    ],
)
def test_a_value_is_hidden_however_it_is_written(value: str, text: str) -> None:
    redactor = Redactor()
    redactor.hide(value)

    result = redactor.redact(text)

    assert result.found == ("exact",)
    assert len(result.text) == len(text)


@pytest.mark.parametrize("value", ["", "production", "password1", "\n\n"])
def test_a_short_value_that_stands_for_other_things_too_is_passed_over(value: str) -> None:
    redactor = Redactor()
    redactor.hide(value)
    text = "password1 is for production"
    assert redactor.redact(text).text == text


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("secret_" * 300, id="many names in one word"),
        pytest.param("secret." * 300, id="many names with dots"),
        pytest.param("token>word\n" * 60, id="elements without end"),
    ],
)
def test_a_value_is_found_after_names_without_one(before: str) -> None:
    masked = Redactor().redact(f"{before}password = 'hJ2kL9Zx4Qw7'\n").text

    assert masked == f"{before}password = 'xX0xX0Xx0Xx0'\n"


@pytest.mark.parametrize(
    ("xml", "masked"),
    [
        ("<password>hJ2kL9Zx4Qw7</password>", "<password>xX0xX0Xx0Xx0</password>"),
        ("<password>hJ2kL9Zx4Qw7", "<password>hJ2kL9Zx4Qw7"),
        ("<password>hJ2kL9\nZx4Qw7</password>", "<password>hJ2kL9\nZx4Qw7</password>"),
    ],
)
def test_the_value_of_an_element_ends_at_the_next_tag(xml: str, masked: str) -> None:
    assert Redactor().redact(xml).text == masked


@given(st.text(alphabet="AKIA7sk-ghp_\n:/@='\"x1Z ", max_size=200))
def test_masking_a_masked_text_changes_nothing(text: str) -> None:
    redactor = Redactor()
    once = redactor.redact(text).text
    assert redactor.redact(once).text == once
    assert len(once) == len(text)


def test_a_line_that_was_clean_is_still_searched_for_what_a_neighbour_makes_of_it() -> None:
    redactor = Redactor()
    assert redactor.redact(BODY).found == ()
    assert redactor.redact(f"-----BEGIN PRIVATE KEY-----\n{BODY}").found == ("private-key",)


@pytest.mark.parametrize(
    "prompt",
    [
        RawPrompt(f"<|fim_prefix|>{KEY}<|fim_suffix|>x"),
        FimPrompt(f"a = '{KEY}'\n", "b = ", ""),
        FimPrompt("", f"a = '{KEY}' + ", ""),
        FimPrompt("", "", f"\n{KEY}"),
        FimPrompt("", "", "", (Snippet("a.py", KEY),)),
        ChatPrompt((("system", KEY), ("user", "x"))),
    ],
    ids=("raw", "prefix", "line", "suffix", "snippet", "chat"),
)
def test_no_part_of_a_prompt_keeps_a_secret(prompt: RawPrompt | FimPrompt | ChatPrompt) -> None:
    done, found = redact_prompt(prompt, Redactor().redact)

    assert KEY not in repr(done)
    assert found == ("openai-project",)
    assert type(done) is type(prompt)


def test_a_prompt_without_secrets_stays_as_it_is() -> None:
    prompt = FimPrompt("a\n", "b", "c", begins="d")
    assert redact_prompt(prompt, Redactor().redact) == (prompt, ())


@pytest.mark.parametrize(
    ("marked", "is_touched"),
    [
        pytest.param(f'a = "{KEY[:20]}‸{KEY[20:]}"', True, id="inside"),
        pytest.param(f'a = "{KEY}‸"', True, id="at its end"),
        pytest.param(f'a = "‸{KEY}"', False, id="before it"),
        pytest.param(f'a = "{KEY}"; b = ‸', False, id="after it"),
        pytest.param(PRIVATE_KEY.replace(BODY, BODY + "‸", 1), True, id="in a private key"),
        pytest.param(
            PRIVATE_KEY.rpartition("\n")[0] + "\n‸", True, id="in a private key that is being pasted"
        ),
        pytest.param(PRIVATE_KEY + "\n‸", False, id="below a private key"),
        pytest.param("x = 1‸", False, id="nowhere near one"),
    ],
)
def test_a_cursor_in_a_secret_is_seen(marked: str, is_touched: bool) -> None:
    before, _, after = marked.partition("‸")
    point = Point(before.count("\n"), len(before.rpartition("\n")[2]))
    assert Redactor().touches(Text.of(before + after), point) is is_touched


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("AKIAXXXXXXXX0XXX", True),
        ("x0xx0xX0xxx00", True),
        ("0x00000000", False),
        ("xxxxxxxx", False),
        ("", False),
    ],
)
def test_a_copied_mask_is_recognised(text: str, holds: bool) -> None:
    assert holds_mask(text) is holds
