"""What an .editorconfig states of a file's indentation."""

from __future__ import annotations

import pytest

from llm_lsp.core.text.editor_config import MAX_SECTIONS, read_editor_config, stated_unit

FILE = """\
; of this project
root = true

[*]
indent_style = space
indent_size = 4
end_of_line = lf

[*.{js,ts}]
indent_size = 2

[Makefile]
indent_style = tab

[lib/**.py]
indent_size = 3

[{package.json,.github/*.yml}]
Indent_Size = 2
tab_width = 8

[*.md]
indent_size = unset
"""


def unit(text: str, path: str) -> str:
    return stated_unit([read_editor_config(text).keys(path)])


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("a.py", 4),
        ("deep/in/a.py", 4),
        ("src/a.ts", 2),
        ("src/a.tsx", 4),
        ("Makefile", "\t"),
        ("sub/Makefile", "\t"),
        ("lib/a.py", 3),
        ("lib/b/c.py", 3),
        ("other/lib/a.py", 4),
        ("package.json", 2),
        (".github/ci.yml", 2),
        (".github/deep/ci.yml", 4),
        ("README.md", ""),
    ],
)
def test_the_last_section_that_matches_counts(path: str, wanted: int | str) -> None:
    assert unit(FILE, path) == (" " * wanted if isinstance(wanted, int) else wanted)


def test_only_the_preamble_says_that_a_file_is_the_root() -> None:
    assert read_editor_config(FILE).is_root
    assert not read_editor_config("[*]\nroot = true\n").is_root
    assert not read_editor_config("root = false\n").is_root


@pytest.mark.parametrize(
    ("glob", "path", "is_match"),
    [
        ("*.py", "a.py", True),
        ("*.py", "a.pyc", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("[ab].c", "b.c", True),
        ("[!ab].c", "b.c", False),
        ("[!ab].c", "c.c", True),
        ("[a-c].c", "b.c", True),
        ("{a,b{1,2}}.c", "b2.c", True),
        ("{a,b{1,2}}.c", "b.c", False),
        ("{a,}.c", ".c", True),
        ("{single}.c", "{single}.c", True),
        ("{single}.c", "single.c", False),
        ("a{1..12}.c", "a7.c", True),
        ("a{1..12}.c", "a13.c", False),
        ("a{-1..1}.c", "a-1.c", True),
        ("{a.c", "{a.c", True),
        ("a}.c", "a}.c", True),
        ("[a.c", "[a.c", True),
        ("\\*.c", "*.c", True),
        ("\\*.c", "a.c", False),
        ("/a.c", "a.c", True),
        ("/a.c", "b/a.c", False),
        ("b/*.c", "b/a.c", True),
        ("b/*.c", "b/c/a.c", False),
        ("b/**/a.c", "b/c/d/a.c", True),
        ("*", "b/c/a.c", True),
        ("ü*.c", "üa.c", True),
    ],
)
def test_globs_match_as_the_specification_says(glob: str, path: str, is_match: bool) -> None:
    assert bool(unit(f"[{glob}]\nindent_style = tab\n", path)) is is_match


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, ""),
        ({"indent_style": "tab"}, "\t"),
        ({"indent_style": "tab", "indent_size": "2"}, "\t"),
        ({"indent_style": "space"}, ""),
        ({"indent_style": "space", "indent_size": "2"}, "  "),
        ({"indent_style": "space", "indent_size": "tab", "tab_width": "8"}, "        "),
        ({"indent_style": "space", "tab_width": "2"}, "  "),
        ({"indent_size": "2"}, "  "),
        ({"indent_size": "tab"}, ""),
        ({"tab_width": "4"}, ""),
        ({"indent_size": "0"}, ""),
        ({"indent_size": "-2"}, ""),
        ({"indent_size": "17"}, ""),
        ({"indent_size": "999999999999"}, ""),
        ({"indent_size": "٤"}, ""),
        ({"indent_style": "unset", "indent_size": "4"}, "    "),
    ],
)
def test_a_unit_is_what_the_keys_say_together(keys: dict[str, str], wanted: str) -> None:
    assert stated_unit([keys]) == wanted


def test_the_nearest_file_wins_key_by_key() -> None:
    far = {"indent_style": "space", "indent_size": "4"}

    assert stated_unit([far, {"indent_size": "2"}]) == "  "
    assert stated_unit([far, {"indent_style": "tab"}]) == "\t"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("*a" * 500, id="stars"),
        pytest.param("**/" * 300, id="folders"),
        pytest.param("{" * 500, id="open braces"),
        pytest.param("{a," * 200 + "}" * 200, id="braces in braces"),
        pytest.param("{1..999999999}", id="numbers without end"),
        pytest.param("[" * 1000, id="open classes"),
        pytest.param("x" * 5000, id="long"),
    ],
)
def test_a_hostile_section_is_passed_over(name: str) -> None:
    text = f"[{name}]\nindent_style = tab\n[*.py]\nindent_size = 2\n"

    assert unit(text, "a" * 200 + "/b.py") == "  "


def test_sections_past_the_bound_are_not_read() -> None:
    sections = [f"[*.a{number}]\nindent_size = 2\n" for number in range(MAX_SECTIONS + 1)]

    assert unit("".join(sections), f"x.a{MAX_SECTIONS - 1}") == "  "
    assert unit("".join(sections), f"x.a{MAX_SECTIONS}") == ""
