"""What a model is shown for a next edit: the document, the place, and the user's last changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llm_lsp.core.context.edit_history import EditBurst
from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.privacy.cut_texts import Redact, redact_lines
from llm_lsp.core.privacy.redact import Redacted
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text

# Lines around a change that are kept with it: Zeta's diffs have three, Sweep's pairs one of them.
CONTEXT_LINES = 3
# Lines above and below a place that a prompt may show: Sweep's shows a document of 800 lines whole.
REACH_LINES = 800


@dataclass(frozen=True, slots=True)
class EditHunk:
    """One change of the user, as whole lines without line ends."""

    path: str
    start: int
    """Line number of the first line of `above`, 0-based: the same before and after the change."""
    above: tuple[str, ...]
    """Unchanged lines above it, at most CONTEXT_LINES."""
    old: tuple[str, ...]
    new: tuple[str, ...]
    below: tuple[str, ...]

    @classmethod
    def of(cls, burst: EditBurst, path: str, redact: Redact = Redacted) -> EditHunk | None:
        """Return a burst's change; None if there is none, it is too large, or it changed only white space."""
        change = burst.change()
        if change is None or burst.changed() is None:
            return None
        before, after, start = burst.before.text, burst.after.text, change.start
        old = _redacted(before, start, start + len(change.old), redact)
        new = _redacted(after, start, start + len(change.new), redact)
        while old and new and old[0] == new[0]:
            # Only their line ends differ: the document's last line got one.
            old, new, start = old[1:], new[1:], start + 1
        first, below = max(0, start - CONTEXT_LINES), start + len(old)
        end = before.line_count - (not before.line(before.line_count - 1))
        return cls(
            path,
            first,
            _redacted(before, first, start, redact),
            old,
            new,
            _redacted(before, below, min(end, below + CONTEXT_LINES), redact),
        )

    @property
    def line(self) -> int:
        """The first changed line after the change."""
        return self.start + len(self.above)

    def sides(self, context: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the lines before and after the change, with some unchanged lines around them."""
        above, below = self.above[max(0, len(self.above) - context) :], self.below[:context]
        return (*above, *self.old, *below), (*above, *self.new, *below)


@dataclass(frozen=True, slots=True)
class EditInput:
    """Everything that a prompt is made of; lines have no line ends."""

    path: str
    lines: tuple[str, ...]
    """The document; a last line end adds no line."""
    line: int
    """The cursor's line, or that of the place where an edit is looked for."""
    column: int
    before: tuple[str, ...]
    """The document before the first of the changes; a last line end adds an empty line."""
    hunks: tuple[EditHunk, ...] = ()
    """The user's last changes in all documents, oldest first."""
    snippets: tuple[Snippet, ...] = ()
    """Pieces of other files."""
    is_jump: bool = False
    """Whether `line` is not where the user is."""
    is_ended: bool = True
    """Whether the last line has a line end."""

    def text(self, first: int, stop: int) -> str:
        """Return some lines as they stand in the document."""
        text = "".join(f"{line}\n" for line in self.lines[first:stop])
        return text if self.is_ended or stop < len(self.lines) else text.removesuffix("\n")

    @property
    def own_hunks(self) -> tuple[EditHunk, ...]:
        """The changes in this document."""
        return tuple(hunk for hunk in self.hunks if hunk.path == self.path)


def edit_input(
    document: Document,
    point: Point,
    bursts: Sequence[EditBurst],
    path_of: Callable[[str], str],
    redact: Redact = Redacted,
    *,
    is_jump: bool = False,
) -> EditInput:
    """Return the input for a place in a document; `path_of` returns the path that is shown for a URI.

    Secrets are redacted here, where the text around them is known. Only the lines that a prompt may use are.
    """
    text = document.text
    own = [burst for burst in bursts if burst.after.uri == document.uri]
    lines = _lines_around(text, point.line, redact)
    hunks = (EditHunk.of(burst, path_of(burst.after.uri), redact) for burst in bursts)
    return EditInput(
        path_of(document.uri),
        lines if lines[-1] else lines[:-1],
        point.line,
        point.column,
        _lines_around(own[0].before.text if own else text, point.line, redact),
        tuple(hunk for hunk in hunks if hunk is not None),
        is_jump=is_jump,
        is_ended=not lines[-1],
    )


def _lines_around(text: Text, line: int, redact: Redact) -> tuple[str, ...]:
    """Return all lines; those further away than any prompt reaches are empty."""
    first, stop = max(0, line - REACH_LINES), min(text.line_count, line + REACH_LINES)
    near = _redacted(text, first, stop, redact)
    return ("",) * first + near + ("",) * (text.line_count - first - len(near))


def _redacted(text: Text, first: int, stop: int, redact: Redact) -> tuple[str, ...]:
    """Return some lines without secrets and without line ends."""
    lines = text.lines(first, stop)
    masked, at, done = redact_lines(text, first, stop, redact), 0, list[str]()
    for line in lines:
        # Redacting preserves the length of a text.
        done.append(masked[at : at + len(line)])
        at += len(line)
    return bare(done)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a model makes of some lines of a document."""

    first: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def bare(lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines without their line ends."""
    return tuple(line.rstrip("\r\n") for line in lines)
