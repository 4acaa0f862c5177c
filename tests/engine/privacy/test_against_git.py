"""Ignore files give git's own verdict, over generated patterns and trees."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_lsp.engine.privacy.ignore_files import IgnoreFiles

needs_git = pytest.mark.skipif(
    shutil.which("git") is None or sys.platform != "linux",
    reason="git and a file system that tells cases apart",
)

NAMES = ("a", "b", "ab", "aab", "a.b", ".a", "b-c", "a]", "a[b", "A", "a b", "1", "ä", "a!", "#a", "_")
PIECES = (
    *("a", "b", "ab", "A", "ä", "1", "-", ".", "#", "!", " ", "*", "**", "***", "?", "/", "/", "**/", "/**", "/**/"),
    *("[ab]", "[!a]", "[^a]", "[a-c]", "[]a]", "[]-a]", "[a-]", "[!]]", "[[:alpha:]]", "[[:upper:]_]", "[[:x:]]"),
    *("[", "]", "[a", "\\", "\\a", "\\*", "\\[", "\\/", "\\ ", "[b-a]", "[\\]]", "[a\\-c]", "[a/b]", "[a-c-e]"),
    *("[[:]", "[:a]", "[!/]", "[*]"),
)  # fmt: skip
ENDS = ("", "", "", "", "/", "/**", " ", "\\ ", "\t", "\r")
# Trees with an ignore file or two each; all of them are asked about in one call of git.
TREES = 600


@dataclass(frozen=True)
class Tree:
    folders: tuple[str, ...]
    files: tuple[str, ...]


def make_tree(rng: random.Random) -> Tree:
    folders = [""]
    for _ in range(4):
        folders.append(f"{rng.choice(folders)}{rng.choice(NAMES)}/")
    taken = {folder.rstrip("/") for folder in folders}
    files = {f"{rng.choice(folders)}{rng.choice(NAMES)}" for _ in range(8)}
    return Tree(tuple(sorted({*folders} - {""})), tuple(sorted(files - taken)))


def any_pattern(rng: random.Random) -> str:
    return "".join(rng.choices(PIECES, k=rng.randint(1, 5)))


def pattern_near(rng: random.Random, tree: Tree) -> str:
    """Insert wildcards into a path of the tree."""
    ways = (
        lambda c: c,
        lambda c: c,
        lambda c: c,
        lambda c: rng.choice(PIECES),
        lambda c: f"\\{c}",
        lambda c: "",
    )
    return "".join(rng.choice(ways)(char) for char in rng.choice(tree.folders + tree.files).rstrip("/"))


def make_lines(rng: random.Random, tree: Tree) -> str:
    bodies = (
        any_pattern(rng) if rng.random() < 0.3 else pattern_near(rng, tree) for _ in range(rng.randint(1, 3))
    )
    starts = ("", "", "", "/", "!", "**/")
    return "\n".join(f"{rng.choice(starts)}{body}{rng.choice(ENDS)}" for body in bodies)


def gits_verdicts(root: Path, paths: list[str]) -> Iterator[bool]:
    command = ["git", "-c", "core.ignorecase=false", "-c", "core.excludesFile=", "check-ignore", "--no-index"]
    asked = "".join(f"{path}\0" for path in paths).encode()
    answer = subprocess.run(
        [*command, "-v", "-n", "-z", "--stdin"], input=asked, capture_output=True, cwd=root
    )
    source, _, pattern, path = (answer.stdout.decode().split("\0")[field::4] for field in range(4))
    assert path == paths
    for file, text in zip(source, pattern, strict=False):
        yield bool(file) and not text.startswith("!")


@needs_git
@pytest.mark.parametrize("seed", [1, 2])
def test_ignore_files_are_read_as_git_reads_them(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    paths: list[str] = []
    for number in range(TREES):
        tree, top = make_tree(rng), f"{number}/"
        for folder in tree.folders:
            (tmp_path / top / folder).mkdir(parents=True, exist_ok=True)
        for file in tree.files:
            (tmp_path / top / file).touch()
        (tmp_path / top / ".gitignore").write_text(make_lines(rng, tree), "utf-8", newline="")
        if rng.random() < 0.3:
            (tmp_path / top / rng.choice(tree.folders) / ".gitignore").write_text(
                make_lines(rng, tree), "utf-8"
            )
        paths += (f"{top}{path}" for path in (*tree.folders, *tree.files))

    without_slashes = [path.rstrip("/") for path in paths]
    theirs = dict(zip(paths, gits_verdicts(tmp_path, without_slashes), strict=True))
    ignored = IgnoreFiles(tmp_path)
    ours = {path: ignored.covers(tmp_path / path, is_folder=path.endswith("/")) for path in paths}

    assert sum(theirs.values()) > len(paths) // 20
    assert {path for path in paths if ours[path] is not theirs[path]} == set()
