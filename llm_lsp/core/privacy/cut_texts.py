"""Redacts secrets in texts that were cut out of longer ones, considering what is beyond the cuts.

Redacting preserves the length of a text, so a text is redacted together with its surroundings and cut afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.privacy.redact import Redacted
from llm_lsp.core.secrets.line_above import telling_line
from llm_lsp.core.secrets.private_keys import KEY_BLOCK_LINES
from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.text.window import Window

# Columns beyond the ends of a cut line: a long web token, or a private key of 4,096 bits on one line.
MARGIN_COLUMNS = 4096

Redact = Callable[[str], Redacted]


def redact_window(window: Window, text: Text, point: Point, redact: Redact) -> Window:
    """Redact a window around a position, including secrets that the cuts or the position divide."""
    point = text.clamp(point)
    start, stop = point.column - len(window.line_prefix), point.column + len(window.line_suffix)
    line = text.line(point.line)
    first_line = point.line - window.prefix.count("\n")
    before = _line_above(text, first_line) + line[max(0, start - MARGIN_COLUMNS) : start]
    # One of the two is empty: further lines are included only if the whole line fits.
    after = line[stop : stop + MARGIN_COLUMNS] or window.suffix
    parts = (before, window.prefix, window.line_prefix, window.line_suffix, after)
    _, prefix, line_prefix, line_suffix, after = _redact_parts(parts, redact)
    suffix = after if window.suffix else ""
    return replace(window, prefix=prefix, line_prefix=line_prefix, line_suffix=line_suffix, suffix=suffix)


def redact_snippets(snippets: Sequence[Snippet], redact: Redact) -> tuple[Snippet, ...]:
    """Redact snippets of other files, including private keys that begin above a snippet."""
    return tuple(
        replace(snippet, text=_redact_parts((snippet.above, snippet.text), redact)[1]) for snippet in snippets
    )


def redact_lines(text: Text, first: int, stop: int, redact: Redact) -> str:
    """Return some lines of a text, redacted, including secrets that begin above them."""
    return _redact_parts((_line_above(text, first), "".join(text.lines(first, stop))), redact)[1]


def _line_above(text: Text, first: int) -> str:
    return telling_line(text.lines(first - KEY_BLOCK_LINES, first))


def _redact_parts(parts: Sequence[str], redact: Redact) -> list[str]:
    """Redact consecutive texts."""
    masked, at, done = redact("".join(parts)).text, 0, []
    for part in parts:
        done.append(masked[at : at + len(part)])
        at += len(part)
    return done
