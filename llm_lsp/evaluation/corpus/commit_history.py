"""Reads handwritten changes from a repository's history: commits of a few files with a few small hunks each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from llm_lsp.core.text.language_ids import language_for_path
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.context.source_files import UnusableFile, source_file
from llm_lsp.evaluation.corpus.git_repository import CommitFiles, FileVersions, GitRepository, LineSpan

# Larger commits are mostly automatic: formatting, mass renames, vendored code.
MAX_FILES = 20
# A file with more or longer hunks was rewritten, not edited step by step.
MAX_HUNKS, MAX_HUNK_LINES = 20, 24
# If this share of a commit's hunks changes no words, it is the work of a formatter.
MAX_FORMATTED = 0.5
# Commits whose contents are in memory at a time.
_BATCH = 50

_WORD = re.compile(r"\w+")

IsWanted = Callable[[str], bool]
"""Checks whether a path, relative to the folder, is source code that may be measured."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a text and their replacement, including line ends."""

    start: int
    """The first line, 0-based; inserted lines come before it."""
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def grown(self) -> int:
        """How many lines longer the text becomes."""
        return len(self.new) - len(self.old)

    def moved(self, lines: int) -> Hunk:
        """Return the same hunk so many lines further down."""
        return Hunk(self.start + lines, self.old, self.new)

    def apply(self, text: Text) -> Text:
        """Return the text with the hunk applied."""
        return text.edit(Point(self.start, 0), self.end(text), "".join(self.new))

    def end(self, text: Text) -> Point:
        """Return the end of the old lines in a text."""
        stop = self.start + len(self.old)
        return text.end if stop >= text.line_count else Point(stop, 0)


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a commit changes in a file."""

    path: str
    """Relative to the measured folder, with slashes."""
    language: str
    before: Text
    hunks: tuple[Hunk, ...]
    """From top to bottom, with line numbers of `before`."""


@dataclass(frozen=True, slots=True)
class CommitChange:
    """What a commit changes in source files."""

    id: str
    files: tuple[FileChange, ...]


def commit_changes(
    repository: GitRepository, is_wanted: IsWanted, limit: int | None = None
) -> Iterator[CommitChange]:
    """Yield the handwritten ones of the last `limit` commits, or of all, newest first.

    Skips commits of many files, commits that mostly reformat, and files that are unwanted, generated or rewritten.
    """
    small: list[CommitFiles] = []
    for commit in repository.files_of(repository.commits(limit)):
        if wanted := _wanted(commit, repository.prefix, is_wanted):
            small.append(CommitFiles(commit.id, commit.count, wanted))
        if len(small) == _BATCH:
            yield from _read(repository, small)
            small = []
    yield from _read(repository, small)


def _wanted(commit: CommitFiles, prefix: str, is_wanted: IsWanted) -> tuple[FileVersions, ...]:
    if commit.count > MAX_FILES:
        return ()
    return tuple(
        file
        for file in commit.changed
        if file.path.startswith(prefix) and is_wanted(file.path.removeprefix(prefix))
    )


def _read(repository: GitRepository, commits: Sequence[CommitFiles]) -> Iterator[CommitChange]:
    spans = repository.spans_of([commit.id for commit in commits])
    files = [file for commit in commits for file in commit.changed]
    contents = repository.contents([content_id for file in files for content_id in (file.old, file.new)])
    for commit in commits:
        changes = [
            change
            for file in commit.changed
            if file.old in contents and file.new in contents
            if (change := _change(file, repository.prefix, contents, spans.get((file.old, file.new), ())))
        ]
        if changes and not _is_formatting([hunk for change in changes for hunk in change.hunks]):
            yield CommitChange(commit.id, tuple(changes))


def _change(
    file: FileVersions, prefix: str, contents: dict[str, bytes], spans: Sequence[LineSpan]
) -> FileChange | None:
    """Return a file's change; None for a generated file or too large a change."""
    if not 0 < len(spans) <= MAX_HUNKS:
        return None
    if any(max(span.old_count, span.new_count) > MAX_HUNK_LINES for span in spans):
        return None
    path = file.path.removeprefix(prefix)
    texts = [_text(contents[content_id], path) for content_id in (file.old, file.new)]
    old, new = texts
    if old is None or new is None:
        return None
    hunks = tuple(
        Hunk(
            span.old_start,
            tuple(old.lines(span.old_start, span.old_start + span.old_count)),
            tuple(new.lines(span.new_start, span.new_start + span.new_count)),
        )
        for span in spans
    )
    return FileChange(path, language_for_path(path), old, hunks)


def _text(data: bytes, path: str) -> Text | None:
    found = source_file(data, "", path)
    if isinstance(found, UnusableFile) or found.is_generated:
        return None
    text = "".join(found.piece.lines)
    # Git counts lines by line feeds alone.
    return None if "\r" in text.replace("\r\n", "\n") else Text.of(text)


def _is_formatting(hunks: Sequence[Hunk]) -> bool:
    """Check whether most hunks change no words, only blanks, quotes, commas or line ends."""
    same = sum(_words(hunk.old) == _words(hunk.new) for hunk in hunks)
    return same > MAX_FORMATTED * len(hunks)


def _words(lines: Sequence[str]) -> list[str]:
    return _WORD.findall("".join(lines))
