"""Decides which candidates go into a prompt, and in what order.

Candidates are ranked and ordered during pauses in typing; a request only cuts them to its budget. The order is
stable, with new ones last, because a model server's cache is valid up to the first change in a prompt.
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

# Share of a snippet's lines that may also be near the cursor or in a better snippet; the same value as llama.vim, above
# which it "would distort completion into repetition".
MAX_REPEATED_SHARE = 0.5
# The same for similar pieces, with lines near the cursor: if two places differ in a single line, that line is useful.
# Of 15 pieces that 0.5 had excluded, 13 contained the missing line (ADR 35).
MAX_ALIKE_SHARE = 0.9
# Similar pieces that are kept: of 54 missing lines found in six pieces, 52 were in the best one, all in the best two.
MAX_ALIKE = 2
# Tokens per line of code: 36 characters, the mean of the top-level modules in Python's library.
LINE_TOKENS = 10
# Tokens that remain for the document itself, if it has so many. With fewer, the model does not see the function that it
# writes in. Our own model on a slow machine gets 512 tokens in all, and no other files.
LEAST_WINDOW_TOKENS = 512
# Tokens. As a small document grows, the room for other files shrinks in these steps, each of which changes the prompt.
STEP_TOKENS = 256
# Approximate tokens of a family's markers around a file.
MARKS_TOKENS = 6
# Snippets that are prepared; a prompt of 2,048 tokens has room for two to four.
MAX_PREPARED = 24
# Characters in a snippet: 20 lines of the longest length in a file. Lines in an open document may be much longer.
MAX_SNIPPET_CHARS = 40_000


@dataclass(frozen=True, slots=True)
class VisibleRange:
    """The lines around a cursor that a prompt shows anyway, from `start` up to but excluding `stop`."""

    start: int
    stop: int

    @classmethod
    def around(cls, point: Point, budget_tokens: float) -> VisibleRange:
        """Estimate what a prompt of this size shows; the exact lines are known only when it is built."""
        above, below = (int(budget_tokens * share / LINE_TOKENS) for share in (PREFIX_SHARE, SUFFIX_SHARE))
        return cls(max(0, point.line - above), point.line + below + 1)

    def holds(self, line: int) -> bool:
        """Check whether a line is in the range."""
        return self.start <= line < self.stop

    def telling_lines(self, text: Text) -> frozenset[str]:
        """Return its characteristic lines, stripped."""
        return telling_lines(text.lines(self.start, self.stop))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A snippet and its source."""

    source: ContextSource
    uri: str
    """Checked against the exclusion rules when the snippet is sent."""
    snippet: Snippet
    likeness: float = field(default=1.0, compare=False)
    """How similar its place is to the cursor's, 0 to 1; changes as the cursor moves, while the piece stays the
    same.
    """

    @property
    def tokens(self) -> float:
        """Its estimated tokens in a prompt."""
        return estimate_tokens(self.snippet.path) + estimate_tokens(self.snippet.text) + MARKS_TOKENS


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not sent, and why; has its path but never its text."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class PreparedContext:
    """What is prepared for a document."""

    ranked: tuple[Candidate, ...] = ()
    """Best first."""
    ordered: tuple[Candidate, ...] = ()
    """The same in the order of the prompt."""
    left_out: tuple[LeftOut, ...] = ()
    path: str = ""
    """The document's path relative to its workspace folder, "" if it is in none."""

    def without(self, uri: str) -> PreparedContext:
        """Return it without the candidates from one document."""
        ranked = tuple(candidate for candidate in self.ranked if candidate.uri != uri)
        ordered = tuple(candidate for candidate in self.ordered if candidate.uri != uri)
        return replace(self, ranked=ranked, ordered=ordered)


@dataclass(frozen=True, slots=True)
class ContextSelection:
    """The snippets of one prompt in order, and what was left out."""

    snippets: tuple[Snippet, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    path: str = ""
    """As in PreparedContext."""
    sources: tuple[ContextSource, ...] = ()
    """The source of each snippet."""

    @property
    def tokens(self) -> float:
        """The estimated tokens of all snippets."""
        return sum(
            estimate_tokens(snippet.path) + estimate_tokens(snippet.text) + MARKS_TOKENS
            for snippet in self.snippets
        )

    @property
    def in_words(self) -> str:
        """Describe the selection without any code."""
        counts = Counter(self.sources)
        parts = [f"{count} {source}" for source, count in counts.items()]
        left = Counter(each.why for each in self.left_out)
        out = [f"{count} left out, {why}" for why, count in left.items()]
        return "; ".join((", ".join(parts) or "no context", *out))


def rank(
    found: Mapping[ContextSource, Sequence[Candidate]], surroundings: frozenset[str]
) -> tuple[Candidate, ...]:
    """Rank the candidates of each source, which come best first; `surroundings` are characteristic lines near
    the cursor.

    Hidden characters are removed: text from elsewhere must not tell a model anything that a human reader cannot
    see.
    """
    ranked: list[Candidate] = []
    shown: set[str] = set()
    # Alternate between sources, so that none uses up the budget.
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
    """Order candidates: those that were prepared `before` keep their place, new ones come last."""
    kept = [candidate for candidate in before if candidate in ranked]
    # The best new one comes last, next to the code it is for.
    new = [candidate for candidate in reversed(ranked) if candidate not in kept]
    return (*kept, *new)


def choose(
    prepared: PreparedContext,
    is_wanted: Callable[[Candidate], bool],
    budget_tokens: float,
    is_refused: Callable[[str], bool],
) -> ContextSelection:
    """Return the best wanted candidates within a budget, in order, without those excluded by now."""
    taken: list[Candidate] = []
    left_out = list(prepared.left_out)
    for candidate in prepared.ranked:
        if not is_wanted(candidate):
            continue
        if is_refused(candidate.uri):
            left_out.append(LeftOut(candidate.snippet.path, "it is excluded"))
        elif candidate.tokens > budget_tokens:
            left_out.append(LeftOut(candidate.snippet.path, "the prompt is full"))
        else:
            budget_tokens -= candidate.tokens
            taken.append(candidate)
    ordered = [candidate for candidate in prepared.ordered if candidate in taken]
    snippets = tuple(candidate.snippet for candidate in ordered)
    sources = tuple(candidate.source for candidate in ordered)
    return ContextSelection(snippets, tuple(left_out), prepared.path, sources)


def context_budget(budget_tokens: float, text: Text, share: float) -> float:
    """Return the tokens available for other files: a `share` of the prompt, and what a small document leaves
    free.
    """
    if share <= 0:
        return 0.0
    needed = math.ceil(_size_tokens(text) / STEP_TOKENS) * STEP_TOKENS
    window = min(needed, max(LEAST_WINDOW_TOKENS, (1 - share) * budget_tokens))
    return max(0.0, budget_tokens - window)


def _without_hidden(snippet: Snippet) -> Snippet:
    return replace(snippet, path=plain_name(snippet.path), text=without_hidden(snippet.text))


def _size_tokens(text: Text) -> float:
    """Estimate a text's tokens from its size and first lines, without reading all of it."""
    sample = "".join(text.lines(0, 32))[:2048]
    rate = estimate_tokens(sample) / len(sample) if sample else 1 / ASCII_CHARS_PER_TOKEN
    return text.size * rate
