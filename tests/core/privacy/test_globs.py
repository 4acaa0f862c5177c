"""Globs match whole paths, each as if it were alone, in time that no glob makes grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.privacy.globs import (
    ANY_CHAR,
    ANY_FOLDERS,
    AnyRun,
    CharClass,
    Choice,
    Element,
    Glob,
    GlobSet,
)
from tests.fuzz.examples import fuzzed

STAR, TREE = AnyRun(), AnyRun(crosses_folders=True)
LETTERS = CharClass(frozenset("xy"), (("a", "c"),))
NOT_LETTERS = CharClass(frozenset("xy"), (("a", "c"),), is_negated=True)
NUMBERED = Choice((("file", CharClass(ranges=(("0", "9"),))), (), ("f", STAR, Choice((("x",), ("y", "z"))))))


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        pytest.param(("a/b",), "a/b", True, id="text"),
        pytest.param(("a/b",), "a/b/c", False, id="text-to-its-end"),
        pytest.param((), "a", False, id="nothing"),
        pytest.param((), "", True, id="nothing-for-nothing"),
        pytest.param((ANY_CHAR,), "/", False, id="a-character-is-no-slash"),
        pytest.param((LETTERS,), "b", True, id="in-a-range"),
        pytest.param((LETTERS,), "y", True, id="listed"),
        pytest.param((LETTERS,), "d", False, id="not-listed"),
        pytest.param((NOT_LETTERS,), "d", True, id="outside-of-the-class"),
        pytest.param((NOT_LETTERS,), "/", False, id="a-slash-is-in-no-class"),
        pytest.param(("a", STAR, "b"), "ab", True, id="an-empty-run"),
        pytest.param(("a", STAR, "b"), "axbxb", True, id="a-run-to-the-last"),
        pytest.param(("a", STAR, "b"), "a/b", False, id="a-run-in-one-folder"),
        pytest.param(("a", TREE, "b"), "a/x/b", True, id="a-run-over-folders"),
        pytest.param((ANY_FOLDERS, "b"), "b", True, id="no-folder"),
        pytest.param((ANY_FOLDERS, "b"), "x/y/b", True, id="folders"),
        pytest.param((ANY_FOLDERS, "b"), "xb", False, id="whole-folders"),
        pytest.param((ANY_FOLDERS, ANY_FOLDERS, "b"), "x/b", True, id="folders-twice"),
        pytest.param((STAR, STAR, TREE, STAR), "a/b", True, id="runs-in-a-row"),
        pytest.param((NUMBERED, ".py"), "file7.py", True, id="the-first-branch"),
        pytest.param((NUMBERED, ".py"), ".py", True, id="an-empty-branch"),
        pytest.param((NUMBERED, ".py"), "f12yz.py", True, id="a-choice-in-a-choice"),
        pytest.param((NUMBERED, ".py"), "f12y.py", False, id="no-branch"),
        pytest.param((NUMBERED, NUMBERED), "file1fx", True, id="one-choice-after-another"),
    ],
)
def test_a_glob_matches_a_whole_path(glob: Glob, path: str, fits: bool) -> None:
    assert GlobSet([glob]).matches(path) == [0] * fits
    # Also with others around it.
    assert GlobSet([("other",), glob, (STAR, "z", STAR)]).matches(path)[:1] == [1] * fits


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        pytest.param(("A.Py",), "a.pY", True, id="text"),
        pytest.param((CharClass(frozenset("A")),), "a", True, id="a-class-of-capitals"),
        pytest.param((CharClass(ranges=(("a", "z"),)),), "Q", True, id="a-range"),
        pytest.param((CharClass(frozenset("a"), is_negated=True),), "A", False, id="outside-of-a-class"),
        pytest.param(("straße",), "STRAẞE", True, id="beyond-ascii"),
        pytest.param((CharClass(ranges=(("A", "Z"),)),), "ß", False, id="two-letters-in-the-other-case"),
    ],
)
def test_the_case_of_letters_can_be_ignored(glob: Glob, path: str, fits: bool) -> None:
    assert GlobSet([glob], ignore_case=True).matches(path) == [0] * fits


def test_the_last_match_is_told_for_each_folder_and_the_path() -> None:
    globs = GlobSet([("a",), (ANY_FOLDERS, "c.py"), ("a/b",), ("a/b/c.py",)], folders_only={0, 2, 3})

    assert [*globs.last_matches("a/b/c.py")] == [0, 2, 1]
    assert [*globs.last_matches("a/b/c.py/")] == [0, 2, 3]
    assert [*globs.last_matches("a")] == [None]


@pytest.mark.parametrize(
    "glob",
    [
        pytest.param((*(STAR, "a") * 1000, "b"), id="runs"),
        pytest.param((*(TREE, "a") * 1000, "b"), id="runs-over-folders"),
        pytest.param((*(ANY_FOLDERS, STAR, "/") * 500, "b"), id="folders"),
        pytest.param((*(Choice((("a",), ("a", "a"), (STAR,))),) * 200, "b"), id="choices"),
    ],
)
@pytest.mark.parametrize("path", ["a" * 4000, "a/" * 2000 + "c"], ids=["a-name", "folders"])
def test_a_hostile_glob_is_answered(glob: Glob, path: str) -> None:
    # A matcher that goes back would not end before the sun does.
    assert GlobSet([glob]).matches(path) == []


ELEMENTS = st.recursive(
    st.sampled_from(["a", "b", "/", "ab", STAR, TREE, ANY_CHAR, ANY_FOLDERS, CharClass(frozenset("a"))]),
    lambda inner: st.builds(
        Choice, st.lists(st.lists(inner, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=4,
)
GLOBS = st.lists(ELEMENTS, max_size=4).map(tuple)


def ends(glob: Glob, path: str, start: int) -> set[int]:
    """Return every place where a match of a glob that begins at a place can end: by the definition, slowly."""
    places = {start}
    for element in glob:
        places = {end for place in places for end in ends_of(element, path, place)}
    return places


def ends_of(element: Element, path: str, start: int) -> set[int]:
    if isinstance(element, str):
        return {start + len(element)} if path.startswith(element, start) else set()
    if isinstance(element, CharClass):
        return {start + 1} if start < len(path) and element.has(path[start]) else set()
    if isinstance(element, Choice):
        return {end for branch in element.branches for end in ends(branch, path, start)}
    stops = (end for end in range(start, len(path)) if path[end] == "/" and not element.crosses_folders)
    return {*range(start, next(stops, len(path)) + 1)}


@fuzzed
@given(globs=st.lists(GLOBS, min_size=1, max_size=4), path=st.text("ab/", max_size=6))
def test_each_glob_of_a_set_matches_by_the_definition(globs: list[Glob], path: str) -> None:
    expected = [index for index, glob in enumerate(globs) if len(path) in ends(glob, path, 0)]

    assert GlobSet(globs).matches(path) == expected
