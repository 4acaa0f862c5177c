"""Patterns mean what gitignore(5) says; tests/engine/privacy/test_against_git.py compares them with git itself."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.gitignore import MAX_PATTERN_CHARS, IgnoreRules, parse_pattern, read_patterns


@pytest.mark.parametrize(
    ("text", "path", "verdict"),
    [
        pytest.param("", "a", None, id="no pattern"),
        pytest.param("a.py", "x/a.py", True, id="a name at any depth"),
        pytest.param("x/a.py", "y/x/a.py", None, id="a path from the top alone"),
        pytest.param("/a.py", "x/a.py", None, id="a name of the top"),
        pytest.param("build/", "x/build/a", True, id="in a folder"),
        pytest.param("build/", "build", None, id="a file is no folder"),
        pytest.param("build/", "build/", True, id="the folder itself"),
        pytest.param("*.py\n!a.py", "a.py", False, id="taken back"),
        pytest.param("x/\n!x/a.py", "x/a.py", True, id="not out of an ignored folder"),
        pytest.param("x/*\n!x/a.py", "x/a.py", False, id="out of a folder whose files are ignored"),
        pytest.param("# a\n#a", "#a", None, id="a comment"),
        pytest.param("\\#a", "#a", True, id="no comment"),
        pytest.param("\\!a", "!a", True, id="not taken back"),
        pytest.param("a \\ \\", "a", None, id="ends in a backslash"),
        pytest.param("a  ", "a", True, id="spaces at the end"),
        pytest.param("a\\ ", "a ", True, id="an escaped space at the end"),
        pytest.param("a\t", "a", None, id="a tab at the end counts"),
        pytest.param("a\r\nb", "a", True, id="Windows' line ends"),
        pytest.param("a\fb\x85c\u2028d", "b", None, id="other line ends are none"),
        pytest.param("\ufeffa", "a", True, id="a byte order mark"),
        pytest.param("**/x", "a/b/x", True, id="stars first"),
        pytest.param("a/**", "a/b/x", True, id="stars last"),
        pytest.param("a/**", "a/", None, id="stars last and the folder itself"),
        pytest.param("a/**/x", "a/x", True, id="stars between"),
        pytest.param("a/*/x", "a/x", None, id="one star between"),
        pytest.param("x/*a**/b", "x/aa/c/b", None, id="two stars beside other characters"),
        pytest.param("[!a-c]", "d", True, id="a negated class"),
        pytest.param("[]a]", "]", True, id="a bracket in brackets"),
        pytest.param("[a/b]", "x/a", None, id="a slash in brackets is a path's"),
        pytest.param("[[:digit:]x]", "7", True, id="a named class"),
        pytest.param("[a\nb", "b", True, id="a broken pattern harms no other"),
    ],
)
def test_patterns(text: str, path: str, verdict: bool | None) -> None:
    assert IgnoreRules(read_patterns(text)).verdict(path) is verdict


@pytest.mark.parametrize(
    "pattern", ["/", "!", "!/", "//", "a\\", "[a", "[a\\", "[]", "[[:a", "[[:nope:]]", "a" * 5000]
)
def test_a_pattern_that_matches_nothing_is_told(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        parse_pattern(pattern)


@pytest.mark.parametrize("pattern", ["*" * (MAX_PATTERN_CHARS + 1), "!" + "a" * MAX_PATTERN_CHARS])
def test_a_pattern_that_is_too_long_to_be_real_excludes_everything(pattern: str) -> None:
    assert IgnoreRules(read_patterns(f"!b\n{pattern}")).verdict("x/b") is True


def test_each_folder_has_its_own_verdict() -> None:
    rules = IgnoreRules(read_patterns("a/\n!b/\n*.py"))

    assert rules.verdicts("a/b/c/d.py") == [True, False, None, True]


@pytest.mark.parametrize(
    "pattern", ["*a" * 25 + "b", "**/*a" * 25 + "b", "*[a-z]*?" * 25 + "b", "*" * 4000 + "b"]
)
@pytest.mark.parametrize("path", ["a" * 60 + ".py", "a/" * 2000 + "a.py"], ids=["name", "path"])
def test_no_pattern_holds_the_matcher_up(pattern: str, path: str) -> None:
    assert IgnoreRules(read_patterns(pattern)).verdict(path) is None
