"""Converts LSP values to core values and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lsprotocol import types

from llm_lsp.core.request import Completion, CompletionRequest, Face, Selected, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import (
    Edit,
    Encoding,
    Point,
    Text,
    advance,
    difference,
    is_word_char,
    to_point,
    to_position,
    word_start,
)
from llm_lsp.engine.client.interface import Status

SECTION = "llm-lsp"
"""The settings' section, and the first part of our commands' names."""
ACCEPTED = f"{SECTION}.accepted"
ASK = f"{SECTION}.ask"

# Characters. Wider labels push the popup off the screen in terminals of 80 columns.
_MAX_LABEL_CHARS = 80


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the client can, as far as it matters here."""

    encoding: Encoding = "utf-16"
    snippets: bool = False
    keeps_indents: bool = False
    """It inserts several lines as they are, and says so (insertTextMode asIs); others put the current line's indentation before each."""
    inline: bool = False
    pulls_settings: bool = False
    """It answers workspace/configuration."""
    watches_settings: bool = False
    """It tells of changed settings once asked to."""
    progress: bool = False
    """It lets the server open a progress bar."""
    name: str = ""
    opens_files: bool = False
    """It opens a file when the server asks it to."""
    watches_files: bool = False
    """It tells of changed files once asked to, also outside of its folders."""
    scopes_settings: bool = False
    """It answers with its user's settings and the workspace's apart, as our own extension for VS Code does."""


def to_capabilities(params: types.InitializeParams) -> Capabilities:
    """Read what the client announced."""
    client = params.capabilities
    item = _path(client, "text_document", "completion", "completion_item")
    return Capabilities(
        encoding=_choose_encoding(_path(client, "general", "position_encodings") or ()),
        snippets=bool(_path(item, "snippet_support")),
        keeps_indents=types.InsertTextMode.AsIs
        in (_path(item, "insert_text_mode_support", "value_set") or ()),
        inline=_path(client, "text_document", "inline_completion") is not None,
        pulls_settings=bool(_path(client, "workspace", "configuration")),
        scopes_settings=_scopes_settings(_path(client, "experimental")),
        watches_settings=bool(_path(client, "workspace", "did_change_configuration", "dynamic_registration")),
        watches_files=bool(
            _path(client, "workspace", "did_change_watched_files", "dynamic_registration")
            and _path(client, "workspace", "did_change_watched_files", "relative_pattern_support")
        ),
        progress=bool(_path(client, "window", "work_done_progress")),
        opens_files=bool(_path(client, "window", "show_document", "support")),
        name=params.client_info.name if params.client_info else "",
    )


def _scopes_settings(experimental: object) -> bool:
    """Return whether a client announced `{"llm-lsp": {"settingsByScope": true}}`.

    It is read from capabilities, which a client's own code writes, and not from its settings, where a folder's files
    could say so.
    """
    return to_settings(to_settings(experimental).get(SECTION)).get("settingsByScope") is True


def to_scopes(value: object) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the user's settings and the workspace's, from a client that keeps them apart."""
    scopes = to_settings(value)
    return to_settings(scopes.get("user")), to_settings(scopes.get("workspace"))


def _path(value: Any, *names: str) -> Any:
    for name in names:
        value = getattr(value, name, None)
    return value


def _choose_encoding(offered: Iterable[str]) -> Encoding:
    """Return the first encoding that we know: the client prefers it, and all three cost the same."""
    known: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
    # LSP 3.17, "positionEncodings": UTF-16 where the client offers nothing.
    return next((encoding for name in offered for encoding in known if encoding == name), "utf-16")


def to_folders(params: types.InitializeParams) -> tuple[str, ...]:
    """Return the URIs of the workspace's folders, also for a client that has a single root."""
    if params.workspace_folders:
        return tuple(folder.uri for folder in params.workspace_folders)
    if params.root_uri:
        return (params.root_uri,)
    root = Path(params.root_path) if params.root_path else None
    return (root.as_uri(),) if root and root.is_absolute() else ()


def to_settings(value: object) -> Mapping[str, object]:
    """Return settings as a mapping; anything else is empty (Neovim sends an empty table as a list)."""
    return value if isinstance(value, Mapping) else {}


def to_section(value: object) -> Mapping[str, object]:
    """Return our section of what didChangeConfiguration sends: some clients send all sections, some only ours."""
    settings = to_settings(value)
    return to_settings(settings[SECTION]) if SECTION in settings else settings


def to_document(item: types.TextDocumentItem) -> Document:
    """Read an opened document."""
    return Document(item.uri, item.language_id, item.version, Text.of(item.text))


def to_edits(
    document: Document,
    version: int,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> tuple[Document, tuple[Edit, ...]] | None:
    """Apply changes in order; give the new version and what changed.

    None where they cannot be changes of the text that we have: an older version, or a range that starts below the
    line after the last.
    """
    text, edits = document.text, []
    if version < document.version:
        return None
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial) and not _fits(text, change.range):
            return None
        edit = _to_edit(text, change, encoding)
        text = text.edit(edit.start, edit.end, edit.text)
        edits.append(edit)
    return replace(document, version=version, text=text), tuple(edits)


def to_whole(
    document: Document,
    version: int,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> Document | None:
    """Begin anew with the last whole text among some changes; None where there is none, or they do not fit."""
    wholes = (isinstance(change, types.TextDocumentContentChangeWholeDocument) for change in changes)
    start = max((index for index, is_whole in enumerate(wholes) if is_whole), default=None)
    if start is None:
        return None
    found = to_edits(replace(document, version=version), version, changes[start:], encoding)
    return found and found[0]


def _fits(text: Text, span: types.Range) -> bool:
    return min(span.start.line, span.end.line) <= text.line_count


def _to_edit(text: Text, change: types.TextDocumentContentChangeEvent, encoding: Encoding) -> Edit:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return difference(text, change.text)
    start, end = _to_range(text, change.range, encoding)
    return Edit(start, end, change.text)


def _to_range(text: Text, span: types.Range, encoding: Encoding) -> tuple[Point, Point]:
    start = to_point(text, span.start.line, span.start.character, encoding)
    end = to_point(text, span.end.line, span.end.character, encoding)
    # vscode-languageserver-textdocument reads a reversed range the same way.
    return (start, end) if start <= end else (end, start)


def is_keystroke(edits: Sequence[Edit]) -> bool:
    """Return whether a change makes editors request a completion by themselves: a letter typed, or a deletion."""
    return len(edits) == 1 and (
        not edits[0].text or (len(edits[0].text) == 1 and is_word_char(edits[0].text))
    )


def menu_trigger(context: types.CompletionContext | None, *, after_keystroke: bool) -> Trigger:
    """Return whether a menu request is automatic or manual.

    Completion menus have one number, Invoked, for "the user asked" and "an identifier was typed" (LSP 3.18,
    "CompletionTriggerKind"); so one that directly follows a keystroke is the editor's own doing.
    """
    invoked = context is None or context.trigger_kind == types.CompletionTriggerKind.Invoked
    return Trigger.MANUAL if invoked and not after_keystroke else Trigger.AUTOMATIC


def inline_trigger(context: types.InlineCompletionContext) -> Trigger:
    """Return whether an inline request is automatic or manual, by LSP 3.18's numbers."""
    invoked = context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    return Trigger.MANUAL if invoked else Trigger.AUTOMATIC


@dataclass(frozen=True, slots=True)
class CompletionParams:
    """What a request needs from the connection."""

    id: int
    asked_at: float
    encoding: Encoding
    trigger: Trigger
    face: Face


def to_request(
    document: Document,
    position: types.Position,
    asking: CompletionParams,
    selected: types.SelectedCompletionInfo | None = None,
    indent: str = "",
) -> CompletionRequest:
    """Build a request; with a selected item, of the document as it would be with that item accepted."""
    point = to_point(document.text, position.line, position.character, asking.encoding)
    chosen = None
    if selected is not None:
        start, end = _to_range(document.text, selected.range, asking.encoding)
        chosen = Selected(start, end, selected.text)
        document = replace(document, text=document.text.edit(start, end, selected.text))
        point = advance(start, selected.text)
    return CompletionRequest(
        asking.id, document, point, asking.trigger, asking.face, asking.asked_at, chosen, indent
    )


def to_inline_items(
    completion: Completion, request: CompletionRequest, client_text: Text, encoding: Encoding
) -> list[types.InlineCompletionItem]:
    """Make the ghost text; `client_text` is the document as the client has it, without the selected item.

    There is always a range: without one VS Code shows nothing in the middle of a line.
    """
    placed = _place(completion, request)
    if placed is None:
        return []
    start, end, text = placed
    command = types.Command(title="Accepted", command=ACCEPTED, arguments=[completion.id])
    span = _from_range(client_text, start, end, encoding)
    return [types.InlineCompletionItem(insert_text=text, range=span, command=command)]


def _place(completion: Completion, request: CompletionRequest) -> tuple[Point, Point, str] | None:
    """Return start, end and text in the client's document; None if the answer would change the selected item."""
    chosen = request.selected
    if chosen is None:
        return completion.start, completion.end, completion.text
    text = request.document.text.slice(chosen.start, completion.start) + completion.text
    if completion.start < chosen.start or not text.startswith(chosen.text):
        return None
    # Right of the item the client's line is the request's line, moved.
    replaced = max(completion.end.column - request.point.column, 0)
    return chosen.start, Point(chosen.end.line, chosen.end.column + replaced), text


def _from_range(text: Text, start: Point, end: Point, encoding: Encoding) -> types.Range:
    return types.Range(
        types.Position(*to_position(text, start, encoding)), types.Position(*to_position(text, end, encoding))
    )


def to_menu_items(
    completion: Completion, request: CompletionRequest, capabilities: Capabilities
) -> list[types.CompletionItem]:
    """Make the menu's item; it replaces the word that was typed, so that clients filter by that word.

    A TextEdit and no InsertReplaceEdit, also for clients that know the latter: what the completion replaces to
    the right belongs to it, and an insert without it would leave that text twice.
    """
    line = request.document.text.line(request.point.line)
    start = min(word_start(line, request.point.column), completion.start.column)
    text = _fit(line[start : completion.start.column] + completion.text, line[:start], capabilities)
    if not text[request.point.column - start :].strip():
        return []
    span = _from_range(
        request.document.text, Point(request.point.line, start), completion.end, capabilities.encoding
    )
    item = _menu_item(text, line[start : request.point.column], span, completion.id, capabilities.snippets)
    modes = types.InsertTextMode
    item.insert_text_mode = modes.AsIs if capabilities.keeps_indents else modes.AdjustIndentation
    return [item]


def _fit(text: str, before: str, capabilities: Capabilities) -> str:
    """Return as much of a text as the client inserts correctly, in the form that it needs; `before` is on its line."""
    if "\n" not in text:
        return text
    if capabilities.keeps_indents:
        return text
    if not capabilities.snippets:
        # Several lines as plain text reach Vim's clients as a NUL in the file, and Neovim's as the first line
        # alone. One line is right everywhere.
        return text.partition("\n")[0].rstrip("\r")
    return _unindent(text, before[: len(before) - len(before.lstrip())])


def _unindent(text: str, indentation: str) -> str:
    """Remove an indentation from all lines but the first, for a client that adds it.

    Neovim (`vim.snippet`), Helix (helix#6263) and Sublime Text (LSP#1828) do, whatever insertTextMode says. A line
    with less indentation cannot be said to them: the text ends before it.
    """
    first, *further = text.split("\n")
    lines = [first]
    for line in further:
        if not line.strip():
            lines.append(line.lstrip(" \t"))
        elif line.startswith(indentation):
            lines.append(line.removeprefix(indentation))
        else:
            return "\n".join(lines).rstrip("\r\n")
    return "\n".join(lines)


def _menu_item(
    text: str, typed: str, span: types.Range, completion_id: str, snippets: bool
) -> types.CompletionItem:
    several = "\n" in text
    as_snippet = several and snippets
    return types.CompletionItem(
        label=_label(text),
        kind=types.CompletionItemKind.Text,
        detail=SECTION,
        documentation=text if several else None,
        # Clients filter by it against what was typed: anything longer is gone at the next keystroke.
        filter_text=typed or None,
        sort_text="!",  # Before all letters and digits.
        text_edit=types.TextEdit(span, escape_snippet(text) if as_snippet else text),
        insert_text_format=types.InsertTextFormat.Snippet if as_snippet else types.InsertTextFormat.PlainText,
        command=types.Command(title="Accepted", command=ACCEPTED, arguments=[completion_id]),
    )


def escape_snippet(text: str) -> str:
    """Write a text so that a snippet inserts exactly it (LSP 3.18, "Snippet Syntax")."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")


def _label(text: str) -> str:
    """Return the first line that is not blank, without characters that would break a popup's line."""
    first = next((line for line in text.split("\n") if line.strip()), text).strip()
    shown = "".join(char if char.isprintable() else " " for char in first[: _MAX_LABEL_CHARS + 1])
    return shown if len(shown) <= _MAX_LABEL_CHARS else shown[: _MAX_LABEL_CHARS - 1] + "…"


def server_capabilities(encoding: Encoding, commands: Iterable[str]) -> types.ServerCapabilities:
    """Return the capabilities of this server; all are static, and only notifications are registered later."""
    sync = types.TextDocumentSyncOptions(
        open_close=True,
        change=types.TextDocumentSyncKind.Incremental,
        save=types.SaveOptions(include_text=False),
    )
    cells = types.NotebookDocumentFilterWithNotebook(notebook="*", cells=None)
    folders = types.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
    return types.ServerCapabilities(
        position_encoding=types.PositionEncodingKind(encoding),
        text_document_sync=sync,
        notebook_document_sync=types.NotebookDocumentSyncOptions(notebook_selector=[cells]),
        # Where a popup would not open by itself, and a model often has something to say.
        completion_provider=types.CompletionOptions(trigger_characters=list(".([{,=: ")),
        inline_completion_provider=types.InlineCompletionOptions(),
        code_action_provider=types.CodeActionOptions(code_action_kinds=[ASK]),
        execute_command_provider=types.ExecuteCommandOptions(commands=list(commands)),
        workspace=types.WorkspaceOptions(workspace_folders=folders),
    )


def to_status(status: Status) -> dict[str, object]:
    """Write a status as its notification has it."""
    return {
        "kind": status.kind,
        "busy": status.busy,
        "message": status.message,
        "provider": status.provider,
        "model": status.model,
        "spentToday": status.spent_today,
    }
