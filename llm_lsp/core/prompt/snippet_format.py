"""Formats snippets in a prompt: in a family's own format, or as comments."""

from __future__ import annotations

from collections.abc import Sequence

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.prompt.fim_families import FimFamily
from llm_lsp.core.text.languages import language_of
from llm_lsp.core.text.window import Window


def in_format(family: FimFamily, window: Window, snippets: Sequence[Snippet]) -> str:
    """Return snippets in the repository format of a family's training data; "" without snippets."""
    if not snippets:
        return ""
    files = [
        family.snippet.replace("{path}", snippet.path).replace("{text}", snippet.text) for snippet in snippets
    ]
    return family.snippets_head + "".join(files) + family.current_head.replace("{path}", window.path)


def as_comments(language: str, snippets: Sequence[Snippet]) -> str:
    """Return snippets as comments above the code, like Tabby: every model has seen commented-out code.

    Returns "" for a language without line comments.
    """
    mark = language_of(language).line_comment
    if not mark:
        return ""
    blocks = []
    for snippet in snippets:
        lines = (f"Path: {snippet.path}", *snippet.text.splitlines())
        blocks.append("".join(f"{mark} {line}".rstrip() + "\n" for line in lines))
    return "\n".join(blocks) + "\n" if blocks else ""
