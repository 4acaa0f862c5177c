"""Finds candidates for context: similar code, signatures, visited places and recent edits."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

from llm_lsp.core.context.edit_history import EditBurst, Visit
from llm_lsp.core.context.imports import is_import
from llm_lsp.core.context.outline import Definition, definitions, outline
from llm_lsp.core.context.ranking import Candidate, VisibleRange
from llm_lsp.core.context.similarity import CursorLines, LineIndex, words_of
from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.prompt.fim_families import LEAST_LIKENESS
from llm_lsp.core.secrets.line_above import telling_line
from llm_lsp.core.secrets.private_keys import KEY_BLOCK_LINES
from llm_lsp.core.text.text import Point

# Lines above and below the cursor used for the comparison. The lines just above matter most; RepoCoder uses 20.
QUERY_ABOVE, QUERY_BELOW = 16, 4
# Lines of a similar piece; the least number of them before the line that matches the cursor's (what follows matters
# more); and the multiple at which pieces begin, so that a piece stays the same while the cursor moves a few lines.
PIECE_LINES, PIECE_ABOVE, PIECE_SNAP = 20, 3, 6
# Factor for a place's likeness if the cursor's line is empty and the place would suggest an import: what another file
# imports is rarely needed here. Above 0.7, one of 11 such holes was filled (ADR 36).
IMPORT_LIKENESS = 0.5
# Number of similar pieces, each from a different file.
MAX_SIMILAR = 6
# Number of files whose signatures are prepared.
MAX_SIGNATURES = 8


class Piece:
    """A text from which snippets can be cut; `path` is what the user knows it by."""

    def __init__(self, uri: str, path: str, language: str, lines: Sequence[str]) -> None:
        self.uri = uri
        self.path = path
        self.language = language
        self.lines = lines

    @cached_property
    def index(self) -> LineIndex:
        """Its lines, indexed by word."""
        return LineIndex.of(self.lines)

    @property
    def words(self) -> Set[str]:
        """All its words."""
        return self.index.words

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Its definitions."""
        return definitions("".join(self.lines), self.language)

    @property
    def defined(self) -> Set[str]:
        """The names it defines."""
        return {definition.name for definition in self.definitions}


@dataclass(frozen=True, slots=True)
class _Match:
    likeness: float
    piece: Piece
    line: int
    """The line that corresponds to the cursor's."""

    @property
    def start(self) -> int:
        """The piece's first line."""
        return max(0, (self.line - PIECE_ABOVE) // PIECE_SNAP * PIECE_SNAP)

    @property
    def stop(self) -> int:
        """The line after the piece's last."""
        return self.start + PIECE_LINES

    @property
    def next_text(self) -> str:
        """The first non-blank line from the matching one on; "" if there is none."""
        return next(filter(str.strip, self.piece.lines[max(0, self.line) : self.stop]), "")


def query_of(lines: Sequence[str], point: Point) -> frozenset[str]:
    """Return the words around a cursor."""
    return words_of(lines[max(0, point.line - QUERY_ABOVE) : point.line + QUERY_BELOW])


def similar(own: Sequence[str], point: Point, pieces: Sequence[Piece]) -> list[Candidate]:
    """Return the places in other texts that are most similar to the cursor's surroundings, best first."""
    scene = CursorLines.around(point, own, [piece.index for piece in pieces])
    is_blank = not "".join(own[point.line : point.line + 1]).strip()
    matches = [match for piece in pieces if (match := _best_of(scene, piece, is_blank=is_blank))]
    matches.sort(key=lambda match: match.likeness, reverse=True)
    return [
        Candidate("similar", match.piece.uri, _cut(match), match.likeness) for match in matches[:MAX_SIMILAR]
    ]


def signatures(query: Set[str], used: Sequence[tuple[Piece, Set[str]]]) -> list[Candidate]:
    """Return the definitions of names used around the cursor, the piece with the most of them first."""
    found = []
    for piece, names in used:
        near = query & names
        if lines := outline(piece.definitions, near):
            candidate = Candidate("signatures", piece.uri, Snippet(piece.path, "\n".join(lines) + "\n"))
            found.append((len(near & piece.defined), candidate))
    found.sort(key=lambda each: each[0], reverse=True)
    return [candidate for _, candidate in found[:MAX_SIGNATURES]]


def out_of_sight(query: Set[str], piece: Piece, sight: VisibleRange) -> Set[str]:
    """Return the names around the cursor that its own text defines outside of the visible range."""
    far = (each.name for each in piece.definitions if not sight.holds(each.start))
    return query & set(far)


def without_sight(piece: Piece, sight: VisibleRange) -> Piece:
    """Return the cursor's own text without the visible range, which would be the most similar of all."""
    lines = ["" if sight.holds(idx) else line for idx, line in enumerate(piece.lines)]
    return Piece(piece.uri, piece.path, piece.language, lines)


def visited(visits: Sequence[Visit], path_of: dict[str, str]) -> list[Candidate]:
    """Return the last visited places, newest first; `path_of` has the documents that may be used."""
    found = []
    for visit in reversed(visits):
        path = path_of.get(visit.document.uri)
        if path is None:
            continue
        first, lines = visit.chunk()
        above = telling_line(visit.document.text.lines(first - KEY_BLOCK_LINES, first))
        found.append(Candidate("visited", visit.document.uri, Snippet(path, _text(lines), above)))
    return found


def edited(bursts: Sequence[EditBurst], path_of: dict[str, str]) -> list[Candidate]:
    """Return the last edits as diffs, newest first; `path_of` has the documents that may be used."""
    found = []
    for burst in reversed(bursts):
        path = path_of.get(burst.after.uri)
        changed = burst.changed() if path else None
        if path is None or changed is None:
            continue
        old, new = changed
        text = "".join((*(f"-{line}" for line in _whole(old)), *(f"+{line}" for line in _whole(new))))
        above = telling_line(burst.lines_above(KEY_BLOCK_LINES))
        found.append(Candidate("edits", burst.after.uri, Snippet(f"{path}.diff", text, above)))
    return found


def _best_of(scene: CursorLines, piece: Piece, *, is_blank: bool) -> _Match | None:
    """Return a text's most similar place, the first if there are several; None if none is similar enough or at
    the end.

    `is_blank` means that the cursor's line is empty.
    """
    alike = [
        (-likeness, line)
        for line, likeness in scene.likeness(piece.index).items()
        if likeness >= LEAST_LIKENESS
    ]
    best = None
    for less_likeness, line in sorted(alike):
        match = _Match(-less_likeness, piece, line)
        if best and match.likeness <= best.likeness:
            break
        following = match.next_text
        if is_blank and is_import(following):
            match = replace(match, likeness=match.likeness * IMPORT_LIKENESS)
        if following and match.likeness >= LEAST_LIKENESS and (not best or match.likeness > best.likeness):
            best = match
    return best


def _cut(match: _Match) -> Snippet:
    lines = match.piece.lines
    above = telling_line(lines[max(0, match.start - KEY_BLOCK_LINES) : match.start])
    return Snippet(match.piece.path, _text(lines[match.start : match.stop]), above)


def _text(lines: Sequence[str]) -> str:
    """Join lines into a snippet's text, with LF and without surrounding blank lines."""
    return "".join(lines).replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"


def _whole(lines: Sequence[str]) -> list[str]:
    return [line.rstrip("\r\n") + "\n" for line in lines]
