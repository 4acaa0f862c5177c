"""Next edits as clients are given them: `textDocument/copilotInlineEdit`, inline completion, and code actions.

`copilotInlineEdit` is the request of GitHub's language server (github/copilot-language-server-release, README.md). The
protocol's library has no types for it, so its raw params are checked here. Clients of it demand that a result is always
`{"edits": [...]}`, with at most one edit, since one client applies all of them, and that each edit repeats the
request's document version, whatever it is.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from llm_lsp.core.edits.inline_form import inline_form
from llm_lsp.core.edits.next_edit import EditRequest, NextEdit, OfferedEdit
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Encoding, Point, Text, to_point, to_position
from llm_lsp.engine.client.interface import Engine
from llm_lsp.lsp.conversion import ACCEPTED

COPILOT_INLINE_EDIT = "textDocument/copilotInlineEdit"
APPLY_KIND = "refactor.rewrite"
# Characters of a URI, and the largest number of a line, column or version, that are taken from raw params (LSP 3.18,
# "uinteger").
MAX_URI_CHARS = 8192
MAX_NUMBER = 2**31 - 1


CopilotResult = dict[str, Any]


def copilot_answer(
    engine: Engine, encoding: Encoding, raw: object
) -> CopilotResult | Coroutine[Any, Any, CopilotResult]:
    """Answer `copilotInlineEdit`; raises JsonRpcInvalidParams."""
    params = parse_params(raw)
    document = engine.document(params.uri)
    cursor = to_cursor(document, params, encoding) if document else None
    if document is None or cursor is None:
        return to_copilot_edits(None, params, encoding)
    asking = _next_edit(engine, document, cursor, may_wait=True)

    async def answer() -> CopilotResult:
        return to_copilot_edits(await asking, params, encoding)

    return answer()


async def inline_items(
    engine: Engine, encoding: Encoding, document: Document, cursor: Point
) -> list[types.InlineCompletionItem]:
    """Return the next edit where nothing is completed, if it is one that inline completion can show."""
    offer = await _next_edit(engine, document, cursor, may_wait=False)
    item = offer and to_inline_item(offer, cursor, encoding)
    return [item] if item else []


def with_edit_actions(
    engine: Engine, encoding: Encoding, params: types.CodeActionParams, others: list[types.CodeAction]
) -> list[types.CodeAction] | Coroutine[Any, Any, list[types.CodeAction]]:
    """Return some code actions and those that apply the next edit."""
    document = engine.document(params.text_document.uri)
    if document is None or not wants_actions(params.context.only):
        return others
    end = params.range.end
    cursor = to_point(document.text, end.line, end.character, encoding)
    asking = _next_edit(engine, document, cursor, may_wait=False)

    async def answer() -> list[types.CodeAction]:
        offer = await asking
        return others + to_actions(offer, encoding) if offer else others

    return answer()


async def _next_edit(
    engine: Engine, document: Document, cursor: Point, *, may_wait: bool
) -> OfferedEdit | None:
    request = EditRequest(engine.next_id(), document, cursor, Trigger.AUTOMATIC, engine.now())
    found = await engine.next_edit(request, may_wait=may_wait)
    return None if isinstance(found, Skip) else found


@dataclass(frozen=True, slots=True)
class CopilotEditParams:
    """The params of `copilotInlineEdit`; what else a client sends is ignored."""

    uri: str
    version: int | None
    """As the client sent it."""
    line: int
    character: int


def parse_params(raw: object) -> CopilotEditParams:
    """Check raw params; raises JsonRpcInvalidParams."""
    document, position = _field(raw, "textDocument"), _field(raw, "position")
    uri, version = _field(document, "uri"), _field(document, "version")
    line, character = _field(position, "line"), _field(position, "character")
    if not (isinstance(uri, str) and 0 < len(uri) <= MAX_URI_CHARS):
        raise JsonRpcInvalidParams
    if not (_is_number(line) and _is_number(character) and (version is None or _is_number(version))):
        raise JsonRpcInvalidParams
    return CopilotEditParams(uri, version, line, character)


def to_cursor(document: Document, params: CopilotEditParams, encoding: Encoding) -> Point | None:
    """Return the cursor of a request; None if its version says that it is about another text.

    A client that counts no versions sends 0.
    """
    if params.version and params.version != document.version:
        return None
    return to_point(document.text, params.line, params.character, encoding)


def to_copilot_edits(
    offer: OfferedEdit | None, params: CopilotEditParams, encoding: Encoding
) -> CopilotResult:
    """Return the result of `copilotInlineEdit`."""
    if offer is None:
        return {"edits": []}
    document = {"uri": params.uri, "version": params.version}
    edit = {
        "text": offer.edit.new,
        "range": _range(offer.document.text, offer.edit.start, offer.edit.end, encoding),
        "textDocument": document,
        "command": _accepted(offer),
    }
    return {"edits": [edit]}


def to_inline_item(
    offer: OfferedEdit, cursor: Point, encoding: Encoding
) -> types.InlineCompletionItem | None:
    """Return a next edit as ghost text at the cursor, or None if it is none."""
    text = offer.document.text
    form = inline_form(offer.edit, text, cursor)
    if form is None:
        return None
    span = _range(text, form.start, form.end, encoding)
    return types.InlineCompletionItem(insert_text=form.text, range=span, command=_accepted(offer))


def wants_actions(only: Iterable[str] | None) -> bool:
    """Check whether a client wants our kind of code action; a kind includes its sub-kinds."""
    return only is None or any(f"{APPLY_KIND}.".startswith(f"{kind}.") for kind in only if kind)


def to_actions(offer: OfferedEdit, encoding: Encoding) -> list[types.CodeAction]:
    """Return the actions that apply a next edit, and the same at all places."""
    line = offer.edit.start.line + 1
    actions = [_action(f"Apply next edit (line {line})", offer, (offer.edit,), encoding)]
    if len(offer.places) > 1:
        title = f"Apply next edit at all {len(offer.places)} places"
        actions.append(_action(title, offer, offer.places, encoding))
    return actions


def _action(
    title: str, offer: OfferedEdit, edits: Iterable[NextEdit], encoding: Encoding
) -> types.CodeAction:
    text = offer.document.text
    changes = [types.TextEdit(_range(text, edit.start, edit.end, encoding), edit.new) for edit in edits]
    return types.CodeAction(
        title=title,
        kind=APPLY_KIND,
        edit=types.WorkspaceEdit(changes={offer.document.uri: changes}),
        command=_accepted(offer),
    )


def _accepted(offer: OfferedEdit) -> types.Command:
    return types.Command(title="Accepted", command=ACCEPTED, arguments=[offer.id])


def _range(text: Text, start: Point, end: Point, encoding: Encoding) -> types.Range:
    return types.Range(
        types.Position(*to_position(text, start, encoding)), types.Position(*to_position(text, end, encoding))
    )


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER
