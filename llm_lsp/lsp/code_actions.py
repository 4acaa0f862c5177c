"""The code action that asks for an explanation of the selection."""

from __future__ import annotations

from collections.abc import Mapping

from lsprotocol import types

from llm_lsp.core.chat.dialogue import EXPLAIN, ChatQuestion
from llm_lsp.core.text.document import Document
from llm_lsp.lsp.conversion import ASK


def to_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the action to explain the selection; none if nothing is selected, or the client wants other kinds."""
    span, only = params.range, params.context.only
    # A requested kind includes its sub-kinds (LSP 3.18, "CodeActionKind").
    is_wanted = only is None or any(f"{ASK}.".startswith(f"{kind}.") for kind in only if kind)
    if not is_wanted or span.start == span.end:
        return []
    # A selection that ends at the start of a line does not include that line.
    stop = span.end.line + (span.end.character > 0)
    argument = {"uri": params.text_document.uri, "first": span.start.line, "stop": stop}
    command = types.Command(title="Explain", command=ASK, arguments=[argument])
    return [types.CodeAction(title="Explain this code", kind=ASK, command=command)]


def to_inquiry(argument: Mapping[str, object], document: Document) -> ChatQuestion | None:
    """Parse a client's question about a document; None if it names no lines of it."""
    first, stop, question = argument.get("first"), argument.get("stop"), argument.get("question", EXPLAIN)
    if not (isinstance(first, int) and isinstance(stop, int) and isinstance(question, str)):
        return None
    if not 0 <= first < min(stop, document.text.line_count):
        return None
    return ChatQuestion(question, document, (first, min(stop, document.text.line_count)), "inline")
