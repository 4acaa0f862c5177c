"""The indentation that a client states beside an inline completion's own parameters.

Copilot's clients send `formattingOptions` there, with `tabSize` and `insertSpaces` as in LSP's formatting requests:
https://www.npmjs.com/package/@github/copilot-language-server
"""

from __future__ import annotations

from lsprotocol import types

# Columns. No editor indents by more.
MAX_TAB_SIZE = 16


class InlineParams(types.InlineCompletionParams):
    """Parameters of an inline completion, with what one step of depth is written with; "" if the client does not say."""

    indent: str = ""


def with_indent(params: types.InlineCompletionParams, raw: object) -> InlineParams:
    """Return structured parameters with the indentation that the raw ones state."""
    found = InlineParams(params.context, params.text_document, params.position, params.work_done_token)
    found.indent = to_indent(raw.get("formattingOptions") if isinstance(raw, dict) else None)
    return found


def to_indent(options: object) -> str:
    """Return one step of depth by LSP's FormattingOptions; "" for anything that is none."""
    if not isinstance(options, dict):
        return ""
    size, in_blanks = options.get("tabSize"), options.get("insertSpaces")
    if in_blanks is False:
        return "\t"
    if in_blanks is not True or not isinstance(size, int) or isinstance(size, bool):
        return ""
    return " " * size if 1 <= size <= MAX_TAB_SIZE else ""
