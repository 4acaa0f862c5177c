"""Private keys are masked whatever stands before their lines, and whatever of them was cut off."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.secrets.private_keys import LOOK_COLUMNS, begun_above
from llm_lsp.core.text.text import Point, Text
from tests.core.secrets.private_keys import LINES, MARKS, key, leaks, written


@pytest.mark.parametrize("kind", MARKS)
@pytest.mark.parametrize(
    ("first", "stop"),
    [
        pytest.param(0, None, id="whole"),
        pytest.param(1, None, id="without its beginning"),
        pytest.param(3, None, id="without its first lines"),
        pytest.param(8, None, id="its end alone"),
        pytest.param(0, -1, id="without its end"),
        pytest.param(0, -4, id="without its last lines"),
        pytest.param(0, 2, id="its beginning alone"),
        pytest.param(2, -3, id="its middle alone"),
    ],
)
def test_no_line_of_a_key_stays(kind: str, first: int, stop: int | None) -> None:
    lines = key(kind)
    for form in LINES:
        text = "\n".join(["x = 1", *written(lines[first:stop], form), "y = 2"])

        masked = Redactor().redact(text).text

        body = [line for line in lines[1:-1] if line in text]
        assert body
        assert leaks(body, masked) == [], form
        assert len(masked) == len(text)
        assert masked.startswith("x = 1\n") and masked.endswith("\ny = 2"), form


@pytest.mark.parametrize("line_end", ["\\n", "\\\\n", "\\r\\n", "", " "])
def test_a_key_on_one_line_is_masked(line_end: str) -> None:
    lines = key("PKCS8")

    masked = Redactor().redact(f'{{"key": "{line_end.join(lines)}{line_end}", "id": 1}}').text

    assert leaks(lines[1:-1], masked) == []
    assert masked.endswith(', "id": 1}')


def test_only_what_belongs_to_a_key_is_masked_between_ends_on_one_line() -> None:
    body, end = key("PKCS8")[1], key("PKCS8")[-1]

    masked = Redactor().redact(f"{body} {end} and some words {end} {body} {end}").text

    assert leaks([body], masked) == []
    assert f"{end} and some words {end}" in masked


def test_headers_of_a_key_with_a_password_end_no_search() -> None:
    begin, *body, _ = key("RSA")
    headers = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0123456789ABCDEF", ""]

    masked = Redactor().redact("\n".join([begin, *headers, *body])).text

    assert leaks(body, masked) == []


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("label", ["CERTIFICATE", "PUBLIC KEY", "PGP SIGNATURE"])
def test_what_is_marked_as_no_secret_stays(label: str, form: str) -> None:
    begin, *body, end = key("PKCS8")
    lines = [begin.replace("PRIVATE KEY", label), *body, end.replace("PRIVATE KEY", label)]
    text = "\n".join(written(lines, form))

    assert Redactor().redact(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join(f"{line:064x}  file{line}" for line in range(9)), id="sums of files"),
        pytest.param("\n".join(f'"a{n}": "sha512-{"aB3+" * 21}aB==",' for n in range(9)), id="a lock file"),
        pytest.param(
            "\n".join(["a/long/path/of/many/words/that/are/in/no/way/a/secret/File2"] * 4), id="paths"
        ),
        pytest.param("\n".join(["=" * 70, "-" * 70] * 3), id="rules"),
    ],
)
def test_long_lines_below_each_other_are_not_always_a_key(text: str) -> None:
    assert Redactor().redact(text).text == text


@pytest.mark.parametrize("form", LINES)
def test_a_cursor_in_a_key_is_seen(form: str) -> None:
    lines = ["x = 1", *written(key("RSA"), form), "y = 2"]
    text = Text.of("\n".join(lines))

    for number in range(2, 11):
        assert Redactor().touches(text, Point(number, len(lines[number]) // 2)), number


@pytest.mark.parametrize("number", [0, 11, 12])
def test_a_cursor_beside_a_key_is_free(number: int) -> None:
    lines = ["x = 1", *key("RSA"), "y = 2"]
    text = Text.of("\n".join(lines))

    assert not Redactor().touches(text, Point(number, len(lines[number])))


def test_a_cursor_in_a_key_on_one_line_is_seen() -> None:
    line = 'key = "' + "\\n".join(key("RSA", 30)) + '"'
    assert Redactor().touches(Text.of(line), Point(0, len(line) // 2))
    assert not Redactor().touches(Text.of(line), Point(0, len(line)))
    assert not Redactor().touches(Text.of(line), Point(0, 5))


@pytest.mark.parametrize("n_chars", [LOOK_COLUMNS, 1_000_000])
def test_of_a_long_line_above_the_end_tells_whether_a_key_has_begun(n_chars: int) -> None:
    begin = "-----BEGIN PRIVATE KEY-----"
    # A line of a million columns costs no more than one of a few thousand.
    assert begun_above(["x" * n_chars + begin]).endswith(begin)
    assert begun_above([begin, "A1b" * (n_chars // 3)]) == begin
    assert begun_above([begin, "a, b " * (n_chars // 5)]) == ""
