"""Which candidates go into a prompt, and in what order.

What is prepared while nobody types is ranked and ordered here; at a request it is only cut to the budget. The order is
stable, newest last: a model server's cache holds a prompt up to its first change.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from llm_lsp.core.context.similarity import repeated_share, telling_lines
from llm_lsp.core.context.snippet import ContextSource, Snippet
from llm_lsp.core.text.invisible_chars import plain_name, without_hidden
from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.text.token_estimate import ASCII_CHARS_PER_TOKEN, estimate_tokens
from llm_lsp.core.text.window import PREFIX_SHARE, SUFFIX_SHARE

# Share of a snippet's lines that stand near the cursor already, or in a better snippet: llama.vim's figure, above
# which "would distort completion into repetition".
MAX_REPEATED_SHARE = 0.5
# The same for an alike piece, of what stands near the cursor: where two places are the same but for a line, that line is
# wanted. Of 15 pieces that 0.5 had left out, 13 held the missing line (docs/adr/0035).
MAX_ALIKE_SHARE = 0.9
# Alike pieces that are kept: of 54 missing lines that six held, 52 stood in the best, all in the best two.
MAX_ALIKE = 2
# Tokens of a line of code: 36 characters, the mean of the modules at the top of Python's own library.
LINE_TOKENS = 10
# Tokens that a window keeps whatever else there is, if the document has so many. With fewer the model loses sight of
# the function that it writes in; our own model on a slow machine reads 512 in all, and gets no other files.
LEAST_WINDOW_TOKENS = 512
# Tokens. The room for other files shrinks in such steps while a small document grows, since each changes the prompt.
STEP_TOKENS = 256
# Tokens that a family's marks around a file take, about.
MARKS_TOKENS = 6
# Snippets that are kept ready; at 2,048 tokens two to four of them are sent.
MAX_PREPARED = 24
# Characters of one: 20 lines as long as a line of a file may be. An open document's line may have a million.
MAX_SNIPPET_CHARS = 40_000


@dataclass(frozen=True, slots=True)
class VisibleRange:
    """The lines around a cursor that a prompt shows anyway, by their numbers: from `start` up to and without `stop`."""

    start: int
    stop: int

    @classmethod
    def around(cls, point: Point, budget_tokens: float) -> VisibleRange:
        """Estimate what a prompt of this size shows; the exact lines are known when it is written."""
        above, below = (int(budget_tokens * share / LINE_TOKENS) for share in (PREFIX_SHARE, SUFFIX_SHARE))
        return cls(max(0, point.line - above), point.line + below + 1)

    def holds(self, line: int) -> bool:
        """Return whether a line is in the range."""
        return self.start <= line < self.stop

    def telling_lines(self, text: Text) -> frozenset[str]:
        """Return its characteristic lines, stripped."""
        return telling_lines(text.lines(self.start, self.stop))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A snippet, and where it is from."""

    source: ContextSource
    uri: str
    """What exclusion is asked about when the snippet is sent."""
    snippet: Snippet
    likeness: float = field(default=1.0, compare=False)
    """How like the cursor's place it is, 0 to 1; it changes while the piece stays."""

    @property
    def tokens(self) -> float:
        """What it takes of a prompt."""
        return estimate_tokens(self.snippet.path) + estimate_tokens(self.snippet.text) + MARKS_TOKENS


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not sent, and why; `path` as a user knows it, never its text."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class PreparedContext:
    """What is ready for a document."""

    ranked: tuple[Candidate, ...] = ()
    """Best first."""
    ordered: tuple[Candidate, ...] = ()
    """The same as they stand in a prompt."""
    left_out: tuple[LeftOut, ...] = ()
    path: str = ""
    """The document's own path in its workspace folder, "" where it is in none."""

    def without(self, uri: str) -> PreparedContext:
        """Return it without what is of one document."""
        ranked = tuple(candidate for candidate in self.ranked if candidate.uri != uri)
        ordered = tuple(candidate for candidate in self.ordered if candidate.uri != uri)
        return replace(self, ranked=ranked, ordered=ordered)


@dataclass(frozen=True, slots=True)
class ContextSelection:
    """What goes with one prompt, in its order, and what was left out."""

    snippets: tuple[Snippet, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    path: str = ""
    """As in PreparedContext."""
    sources: tuple[ContextSource, ...] = ()
    """Where each snippet is from."""

    @property
    def tokens(self) -> float:
        """What all snippets take of a prompt."""
        return sum(
            estimate_tokens(snippet.path) + estimate_tokens(snippet.text) + MARKS_TOKENS
            for snippet in self.snippets
        )

    @property
    def in_words(self) -> str:
        """Describe the selection in words that contain no code."""
        counts = Counter(self.sources)
        parts = [f"{count} {source}" for source, count in counts.items()]
        left = Counter(each.why for each in self.left_out)
        out = [f"{count} left out, {why}" for why, count in left.items()]
        return "; ".join((", ".join(parts) or "nothing of other places", *out))


def rank(
    found: Mapping[ContextSource, Sequence[Candidate]], surroundings: frozenset[str]
) -> tuple[Candidate, ...]:
    """Rank what each source found, each with its best first; `surroundings` are the telling lines near the cursor.

    Hidden characters are left out: what no reader sees in a file that came from elsewhere should say nothing to a model.
    """
    ranked: list[Candidate] = []
    shown: set[str] = set()
    # In turn, so that no source takes the whole budget.
    for turn in zip_longest(*found.values()):
        for candidate in turn:
            if candidate is None or len(ranked) >= MAX_PREPARED:
                continue
            if len(candidate.snippet.text) > MAX_SNIPPET_CHARS:
                continue
            is_alike = candidate.source == "similar"
            if is_alike and sum(one.source == "similar" for one in ranked) == MAX_ALIKE:
                continue
            plain = _without_hidden(candidate.snippet)
            bound = MAX_ALIKE_SHARE if is_alike else MAX_REPEATED_SHARE
            is_repeated = (
                repeated_share(plain.text, surroundings) > bound
                or repeated_share(plain.text, shown) > MAX_REPEATED_SHARE
            )
            if not plain.text.strip() or is_repeated:
                continue
            shown |= telling_lines(plain.text.splitlines())
            ranked.append(replace(candidate, snippet=plain))
    return tuple(ranked)


def arrange(ranked: Sequence[Candidate], before: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Put candidates in order: what was ready `before` keeps its place, what is new comes last."""
    kept = [candidate for candidate in before if candidate in ranked]
    # The best of the new ones last, next to the code that it is for.
    new = [candidate for candidate in reversed(ranked) if candidate not in kept]
    return (*kept, *new)


def choose(
    prepared: PreparedContext,
    is_wanted: Callable[[Candidate], bool],
    budget_tokens: float,
    is_refused: Callable[[str], bool],
) -> ContextSelection:
    """Return the best wanted candidates that fit a budget, in order; a URI that is excluded by now is left out."""
    taken: list[Candidate] = []
    left_out = list(prepared.left_out)
    for candidate in prepared.ranked:
        if not is_wanted(candidate):
            continue
        if is_refused(candidate.uri):
            left_out.append(LeftOut(candidate.snippet.path, "it is excluded"))
        elif candidate.tokens > budget_tokens:
            left_out.append(LeftOut(candidate.snippet.path, "the budget is spent"))
        else:
            budget_tokens -= candidate.tokens
            taken.append(candidate)
    ordered = [candidate for candidate in prepared.ordered if candidate in taken]
    snippets = tuple(candidate.snippet for candidate in ordered)
    sources = tuple(candidate.source for candidate in ordered)
    return ContextSelection(snippets, tuple(left_out), prepared.path, sources)


def context_budget(budget_tokens: float, text: Text, share: float) -> float:
    """Return the tokens that other files may have in a prompt: `share` of it, and what a small document leaves."""
    if share <= 0:
        return 0.0
    needed = math.ceil(_size_tokens(text) / STEP_TOKENS) * STEP_TOKENS
    window = min(needed, max(LEAST_WINDOW_TOKENS, (1 - share) * budget_tokens))
    return max(0.0, budget_tokens - window)


def _without_hidden(snippet: Snippet) -> Snippet:
    return replace(snippet, path=plain_name(snippet.path), text=without_hidden(snippet.text))


def _size_tokens(text: Text) -> float:
    """Estimate a text's tokens by its size and its first lines: no work in proportion to the file."""
    sample = "".join(text.lines(0, 32))[:2048]
    rate = estimate_tokens(sample) / len(sample) if sample else 1 / ASCII_CHARS_PER_TOKEN
    return text.size * rate
