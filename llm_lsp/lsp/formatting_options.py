"""Reads the indentation settings that some clients add to inline completion requests.

Copilot clients send `formattingOptions`, with `tabSize` and `insertSpaces` as in LSP formatting requests:
https://www.npmjs.com/package/@github/copilot-language-server
"""

from __future__ import annotations

from lsprotocol import types

# Columns. No editor indents by more.
MAX_TAB_SIZE = 16


class InlineParams(types.InlineCompletionParams):
    """Parameters of an inline completion, with the text of one indentation step; "" if the client did not send
    it.
    """

    indent: str = ""


def with_indent(params: types.InlineCompletionParams, raw: object) -> InlineParams:
    """Add the indentation from the raw parameters to the structured ones."""
    found = InlineParams(params.context, params.text_document, params.position, params.work_done_token)
    found.indent = to_indent(raw.get("formattingOptions") if isinstance(raw, dict) else None)
    return found


def to_indent(options: object) -> str:
    """Return one indentation step from LSP's FormattingOptions; "" if they are missing or invalid."""
    if not isinstance(options, dict):
        return ""
    size, in_blanks = options.get("tabSize"), options.get("insertSpaces")
    if in_blanks is False:
        return "\t"
    if in_blanks is not True or not isinstance(size, int) or isinstance(size, bool):
        return ""
    return " " * size if 1 <= size <= MAX_TAB_SIZE else ""
