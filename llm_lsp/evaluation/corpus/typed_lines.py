"""Turns the lines that commits added into holes, each in the file as it was when the line was typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from llm_lsp.core.context.edit_history import ChangedLines
from llm_lsp.core.edits.line_changes import line_changes
from llm_lsp.core.text.text import Point, Text
from llm_lsp.evaluation.corpus.commit_history import CommitChange, FileChange, Hunk
from llm_lsp.evaluation.corpus.hole_places import MAX_LINE_CHARS, MIN_CHARS, CutPoint
from llm_lsp.evaluation.corpus.hole_selection import CorpusFile, Hole


def drawn_lines(commits: Iterator[CommitChange], seed: int) -> list[Hole]:
    """Return a hole for each added line, in random order determined by the seed."""
    holes = [hole for commit in commits for file in commit.files for hole in _typed(file)]
    Random(seed).shuffle(holes)
    return holes


def _typed(file: FileChange) -> Iterator[Hole]:
    """Retype a file's hunks from top to bottom; each line is missing together with what the commit adds below
    it.
    """
    text, moved = file.before, 0
    for hunk in file.hunks:
        here = hunk.moved(moved)
        changed = {change.line for change in line_changes(ChangedLines(0, hunk.old, hunk.new))}
        for number in range(len(hunk.new)):
            if number not in changed and (hole := _line(file, text, here, number)):
                yield hole
        text, moved = here.apply(text), moved + hunk.grown


def _line(file: FileChange, before: Text, hunk: Hunk, number: int) -> Hole | None:
    """Return a hole for the whole text of a line; None for a blank, short or long line."""
    text = replace(hunk, new=hunk.new[: number + 1]).apply(before)
    place = hunk.start + number
    line = text.line(place)
    indent = len(line) - len(line.lstrip())
    end = len(line.rstrip())
    if end - indent < MIN_CHARS or end > MAX_LINE_CHARS:
        return None
    cut = CutPoint("line", "body", Point(place, indent), Point(place, end))
    return Hole(CorpusFile(file.path, file.language, text), cut)
