"""What a cut divides is seen in the whole text first."""

from __future__ import annotations

import pytest

from llm_lsp.core.chat.dialogue import ChatQuestion, mark_code
from llm_lsp.core.context.candidates import edited, visited
from llm_lsp.core.context.edit_history import EditHistory
from llm_lsp.core.context.outline import definitions
from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.privacy.cut_texts import redact_lines, redact_snippets, redact_window
from llm_lsp.core.privacy.redact import Redacted, Redactor
from llm_lsp.core.secrets.line_above import telling_line
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.core.text.window import Window, cut_window
from tests.core.secrets.private_keys import LINES, key, leaks, written

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
URI = "file:///p/a.py"


def document(text: str) -> Document:
    return Document(URI, "python", 1, Text.of(text))


def masked_window(marked: str, budget_tokens: float) -> tuple[Window, Window]:
    """Return the window around the mark, as it was cut and masked."""
    before, _, after = marked.partition("‸")
    point = Point(before.count("\n"), len(before.rpartition("\n")[2]))
    text = document(before + after)
    window = cut_window(text, point, budget_tokens)
    masked = redact_window(window, text.text, point, Redactor().redact)
    assert len(masked.prefix) == len(window.prefix) and len(masked.line_prefix) == len(window.line_prefix)
    assert len(masked.suffix) == len(window.suffix) and len(masked.line_suffix) == len(window.line_suffix)
    return window, masked


def parts_of_token(text: str) -> list[str]:
    return [TOKEN[at : at + 5] for at in range(4, len(TOKEN) - 5) if TOKEN[at : at + 5] in text]


@pytest.mark.parametrize("shift", range(0, 50, 3))
@pytest.mark.parametrize("name", ["", 'password = "', "x=1;token="])
def test_of_a_token_that_the_windows_edge_divides_no_part_stays(shift: int, name: str) -> None:
    filler = "a = b; " * 400
    line = f"{filler}{name}{TOKEN}; {'c = d; ' * 20}{'e' * shift}‸{'f' * shift}{' c = d;' * 20} {name}{TOKEN}{filler}"
    divided = 0
    for budget_tokens in range(20, 160, 3):
        window, masked = masked_window(line, budget_tokens)
        divided += TOKEN[-6:] in window.line_prefix and TOKEN not in window.line_prefix
        assert parts_of_token(masked.line_prefix + masked.line_suffix) == []
    assert divided


@pytest.mark.parametrize("value", ["kq83hf2vA9xx", TOKEN])
def test_a_value_right_after_the_cursor_is_masked_by_the_name_before_it(value: str) -> None:
    _, masked = masked_window(f'password = "‸{value}"\n', 2000)
    assert value[4:] not in masked.line_suffix
    assert masked.line_prefix == 'password = "'


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("n_lines", [3, 12, 50])
def test_a_key_that_begins_above_the_window_is_masked(form: str, n_lines: int) -> None:
    lines = key("RSA", n_lines)
    text = "\n".join([*(f"x{n} = {n}" for n in range(150)), *written(lines, form), *["y = 2"] * 3, "z = ‸"])
    for budget_tokens in range(30, 3000, 70):
        _, masked = masked_window(text, budget_tokens)
        assert leaks(lines[1:-1], masked.prefix) == []


def test_without_redaction_a_window_stays_as_it_is() -> None:
    text = document(f"{TOKEN}\nx = ")
    window = cut_window(text, Point(1, 4), 2000)
    assert redact_window(window, text.text, Point(1, 4), Redacted) == window


@pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\r\nb\r\n", "a\nb\nc"])
def test_a_window_without_secrets_is_the_same_wherever_the_cursor_is(text: str) -> None:
    whole = document(text)
    for line in range(whole.text.line_count):
        for column in (0, 1):
            point = whole.text.clamp(Point(line, column))
            for budget_tokens in (0, 1, 3, 2000):
                window = cut_window(whole, point, budget_tokens)
                assert redact_window(window, whole.text, point, Redactor().redact) == window


@pytest.mark.parametrize("form", ["plain", "hash", "string", "indented"])
@pytest.mark.parametrize("first", range(2, 8))
def test_a_line_of_a_key_in_another_file_is_masked(form: str, first: int) -> None:
    lines = key("RSA")
    text = "\n".join(["x = 1", *written(lines, form), "y = 2"]) + "\n"
    there = document(text)
    history = EditHistory().at(there, Point(first + 17, 0))  # Its lines begin 16 above.

    (candidate,) = visited(history.visits, {URI: "b.py"})
    (masked,) = redact_snippets([candidate.snippet], Redactor().redact)

    assert leaks(lines[1:-1], masked.text) == []
    assert len(masked.text) == len(candidate.snippet.text)


def test_one_changed_line_of_a_key_is_masked() -> None:
    lines = key("RSA")
    old = document("\n".join(["x = 1", *lines, "y = 2"]) + "\n")
    edit = Edit(Point(5, 0), Point(5, 4), "AAAA")
    new = Document(URI, "python", 2, old.text.edit(edit.start, edit.end, edit.text))
    history = EditHistory().edited(old, new, (edit,), 0.0)

    (candidate,) = edited(history.fresh_bursts(1.0), {URI: "b.py"})
    (masked,) = redact_snippets([candidate.snippet], Redactor().redact)

    assert candidate.snippet.text.count("\n") == 2
    assert leaks(lines[1:-1], masked.text) == []


def test_a_signature_that_is_cut_ends_with_a_whole_word() -> None:
    for shift in range(60):
        text = f'const API = [{"a, " * 40}{"b" * shift}, "{TOKEN}"]\n'
        (found,) = definitions(text, "javascript")
        assert len(found.lines[0]) <= 200
        assert parts_of_token(Redactor().redact("\n".join(found.lines)).text) == []


def test_lines_that_a_question_is_about_are_masked_by_what_stands_above_them() -> None:
    lines = key("RSA")
    text = document("\n".join(["x = 1", *lines, "y = 2"]) + "\n")
    redact = Redactor().redact

    code = mark_code(ChatQuestion("what?", text, (4, 6)), "a.py", redact)

    assert leaks(lines[1:-1], code) == []
    assert redact_lines(text.text, 0, 1, redact) == "x = 1\n"


VALUE = "x8dKjW9vQ2mzT4"
# A line that ends with a secret's name, and what holds the value below it.
NAMED = {
    "block": ("db_password: |", f"  {VALUE}"),
    "wrapped": ('{"token":', f'  "{VALUE}"}}'),
    "of a container": ("- name: DB_PASSWORD", f'  value: "{VALUE}"'),
    "statement": ("const secret =", f"  '{VALUE}';"),
    "list": ("tokens:", f"  - {VALUE}"),
    "comment": ("# password:", f"#   {VALUE}"),
    "CRLF": ("db_password: |\r", f"  {VALUE}\r"),
}


@pytest.mark.parametrize("form", NAMED)
def test_a_value_whose_name_is_above_the_cut_is_masked(form: str) -> None:
    name, value = NAMED[form]
    text = Text.of(f"a: 1\n{name}\n{value}\nb: 2\n")
    redact = Redactor().redact

    assert VALUE not in redact_lines(text, 2, 4, redact)
    (snippet,) = redact_snippets(visited_lines(text, 2), redact)
    assert VALUE not in snippet.text
    for budget_tokens in range(4, 40):
        window = cut_window(Document(URI, "yaml", 1, text), text.end, budget_tokens)
        assert VALUE not in redact_window(window, text, text.end, redact).prefix


@pytest.mark.parametrize("form", NAMED)
def test_a_cursor_in_a_value_below_its_name_is_in_a_secret(form: str) -> None:
    name, value = NAMED[form]
    text = Text.of(f"a: 1\n{name}\n{value}\nb: 2\n")
    column = value.index(VALUE) + 3

    assert Redactor().touches(text, Point(2, column))
    assert not Redactor().touches(text, Point(3, 4))


def visited_lines(text: Text, first: int) -> list[Snippet]:
    above = telling_line(text.lines(0, first))
    return [Snippet("a.yaml", "".join(text.lines(first, text.line_count)), above)]
