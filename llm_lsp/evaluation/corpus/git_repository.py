"""Reads a git repository's commits, changes and files without running anything from the repository.

Only uses plumbing commands, which start no pager, hook or file monitor. What the configuration could add to them is
turned off: external diffs, text conversion, and fetching missing objects.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from llm_lsp.errors import GitError

# Bytes. A larger file counts as binary and has no hunks; the corpus contains no such files anyway.
MAX_BYTES = 1 << 18
# Commits per process, whose output is held in memory.
_BATCH = 100
_OPTIONS = (
    "--no-pager",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=" + os.devnull,
    "-c", "core.quotePath=true",
    "-c", f"core.bigFileThreshold={MAX_BYTES}",
    "-c", "protocol.allow=never",  # do not fetch objects that are missing in a partial clone
    "-c", "diff.orderFile=",
)  # fmt: skip
_DIFF = ("diff-tree", "--stdin", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
_STAGED = ("diff-index", "--cached", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
_OBJECT_ID = re.compile(r"[0-9a-f]{40,64}")
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
# Files of a commit whose diffs are read.
MAX_STAGED = 50
_Key = TypeVar("_Key")
_Found = TypeVar("_Found")
_PLAIN_FILES = frozenset({"100644", "100755"})


@dataclass(frozen=True, slots=True)
class LineSpan:
    """Lines of a file and their replacement: first line (0-based) and number of lines, before and after."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int


@dataclass(frozen=True, slots=True)
class FileVersions:
    """A regular file that a commit changes."""

    path: str
    """Relative to the repository's root, with slashes."""
    old: str
    new: str
    """The object ids of its contents."""


@dataclass(frozen=True, slots=True)
class CommitFiles:
    """A commit and the files it changes; added, removed and renamed files are only counted."""

    id: str
    count: int
    changed: tuple[FileVersions, ...]


class GitRepository:
    """Reads one repository; raises GitError if git is missing or fails."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._git = _git_outside(root)
        self.prefix = self._text("rev-parse", "--show-prefix").removesuffix("\n")
        """The folder's path in the repository, with a trailing slash; "" for the root."""

    def commits(self, limit: int | None = None) -> list[str]:
        """List commits newest first, without merges; empty if the repository has none."""
        if not self._text("rev-parse", "--quiet", "--verify", "HEAD", may_fail=True):
            return []
        count = () if limit is None else (f"--max-count={limit}",)
        return self._text("rev-list", "--no-merges", *count, "HEAD").split()

    def files_of(self, commits: Sequence[str]) -> Iterator[CommitFiles]:
        """Yield the files of commits. A commit without a parent, such as a shallow clone's last one, has none."""
        for batch in _batches(commits):
            raw = self._run(*_DIFF, "-z", "--raw", "--no-abbrev", sent="\n".join(batch))
            yield from _commit_files(raw)

    def spans_of(self, commits: Sequence[str]) -> dict[tuple[str, str], tuple[LineSpan, ...]]:
        """Return the changed lines of all files in some commits, by the object ids before and after.

        Commits with missing files, as in a partial clone, are skipped.
        """
        found: dict[tuple[str, str], tuple[LineSpan, ...]] = {}
        for batch in _batches(commits):
            found |= _despite_missing(self._spans, batch)
        return found

    def committed(self, path: str) -> bytes | None:
        """Return a file's content in the newest commit, by its path relative to the root; None if it has none."""
        listed = self._text(
            "rev-parse", "--quiet", "--verify", f"HEAD:{self.prefix}{path}", may_fail=True
        ).split()
        return self.contents(listed[:1]).get(listed[0]) if listed else None

    def staged(self) -> list[tuple[str, str]]:
        """Return the files below the root that will be committed, each with its diff; at most MAX_STAGED."""
        diff = (*_STAGED, "--relative")
        before = self._newest() or self._text("hash-object", "-t", "tree", os.devnull).strip()
        names = [name for name in self._text(*diff, "--name-only", "-z", before).split("\0") if name]
        return [
            (name, self._text("--literal-pathspecs", *diff, "-p", before, "--", name))
            for name in names[:MAX_STAGED]
        ]

    def subjects(self, count: int) -> list[str]:
        """Return the first lines of the newest commits' messages."""
        if not self._newest():
            return []
        # Not `log`, which the configuration can make check signatures with a program of its own.
        lines = self._text(
            "rev-list", "--no-merges", f"--max-count={count}", "--format=%s", "HEAD"
        ).splitlines()
        return lines[1::2]

    def _newest(self) -> str:
        """Return the newest commit; "" if there is none."""
        return self._text("rev-parse", "--quiet", "--verify", "HEAD", may_fail=True).strip()

    def contents(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Read contents by object id; missing ones and those larger than MAX_BYTES are skipped."""
        return _despite_missing(self._contents, list(dict.fromkeys(ids)))

    def _spans(self, commits: Sequence[str]) -> dict[tuple[str, str], tuple[LineSpan, ...]]:
        sent = "\n".join(commits)
        return _spans(self._run(*_DIFF, "-p", "-U0", "--inter-hunk-context=0", "--full-index", sent=sent))

    def _contents(self, ids: Sequence[str]) -> dict[str, bytes]:
        listed = self._run("cat-file", "--batch-check", sent="\n".join(ids)).decode("ascii", "replace")
        small = [
            fields[0]
            for fields in map(str.split, listed.splitlines())
            if len(fields) == 3 and fields[1] == "blob" and int(fields[2]) <= MAX_BYTES
        ]
        return _contents(self._run("cat-file", "--batch", sent="\n".join(small))) if small else {}

    def _text(self, *arguments: str, may_fail: bool = False) -> str:
        return self._run(*arguments, may_fail=may_fail).decode("utf-8", "surrogateescape")

    def _run(self, *arguments: str, sent: str = "", may_fail: bool = False) -> bytes:
        done = subprocess.run(
            [self._git, "-C", str(self._root), *_OPTIONS, *arguments],
            input=(sent + "\n" if sent else "").encode("ascii"),
            capture_output=True,
            env=_environment(),
            check=False,
        )
        if done.returncode and not may_fail:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(f"git cannot read {self._root}: {lines[0] if lines else 'no reason given'}")
        return done.stdout


def _git_outside(root: Path) -> str:
    """Find git on the PATH, but not inside the repository."""
    found = shutil.which("git")
    if found is None:
        raise GitError("git is not installed, or not on PATH")
    if Path(found).resolve().is_relative_to(root.resolve()):
        raise GitError(f"{found} is inside the repository to be read; put the real git first on PATH")
    return found


def _environment() -> dict[str, str]:
    """Return our environment without variables that redirect git or make it run programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **kept,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


def _despite_missing(
    read: Callable[[Sequence[str]], dict[_Key, _Found]], names: Sequence[str]
) -> dict[_Key, _Found]:
    """Read all names at once; if git fails, read them one by one and skip those that fail."""
    try:
        return read(names)
    except GitError:
        found: dict[_Key, _Found] = {}
        for name in names:
            with contextlib.suppress(GitError):
                found |= read([name])
        return found


def _batches(commits: Sequence[str]) -> Iterator[list[str]]:
    left = iter(commits)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _commit_files(raw: bytes) -> Iterator[CommitFiles]:
    """Parse `diff-tree -z --raw`: a commit's id, then for each file its modes, ids and status, and its path."""
    fields = iter(raw.decode("utf-8", "surrogateescape").split("\0"))
    commit, count, changed = "", 0, list[FileVersions]()
    for field in fields:
        if field.startswith(":"):
            old_mode, new_mode, old, new, status = field[1:].split(" ")
            path = next(fields)
            count += 1
            if status == "M" and {old_mode, new_mode} <= _PLAIN_FILES:
                changed.append(FileVersions(path, old, new))
        elif _OBJECT_ID.fullmatch(field):
            if commit:
                yield CommitFiles(commit, count, tuple(changed))
            commit, count, changed = field, 0, []
    if commit:
        yield CommitFiles(commit, count, tuple(changed))


def _spans(patch: bytes) -> dict[tuple[str, str], tuple[LineSpan, ...]]:
    """Parse a patch without context lines: content lines begin with `+`, `-` or a backslash."""
    found: dict[tuple[str, str], list[LineSpan]] = {}
    here: list[LineSpan] = []
    for line in patch.split(b"\n"):
        if line.startswith(b"index "):
            old, _, new = line.split(b" ")[1].decode("ascii").partition("..")
            here = found[old, new] = []
        elif line.startswith(b"@@ ") and (match := _HUNK.match(line.decode("ascii", "replace"))):
            here.append(_span(*match.groups()))
    return {ids: tuple(spans) for ids, spans in found.items()}


def _span(old_start: str, old_count: str | None, new_start: str, new_count: str | None) -> LineSpan:
    """Convert to 0-based line numbers; for an empty span, git states the line before it."""
    old, new = int(old_count or 1), int(new_count or 1)
    return LineSpan(int(old_start) - bool(old), old, int(new_start) - bool(new), new)


def _contents(listed: bytes) -> dict[str, bytes]:
    """Parse `cat-file --batch`: a line with id, type and size, then so many bytes and a line end."""
    found, at = {}, 0
    while (end := listed.find(b"\n", at)) >= 0:
        object_id, _, size = listed[at:end].decode("ascii").split(" ")
        found[object_id] = listed[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
    return found
