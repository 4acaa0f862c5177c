"""Converts LSP values to core values and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from llm_lsp.core.privacy.secret import GivenKey

SECTION = "llm-lsp"
"""Name of our settings section, and prefix of our commands."""
ACCEPTED = f"{SECTION}.accepted"
ASK = f"{SECTION}.ask"

# Characters. Longer labels push the popup off the screen in 80-column terminals.
_MAX_LABEL_CHARS = 80


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The client's capabilities that this server uses."""

    encoding: Encoding = "utf-16"
    snippets: bool = False
    keeps_indents: bool = False
    """It inserts several lines unchanged (insertTextMode asIs); others indent each like the current line."""
    inline: bool = False
    pulls_settings: bool = False
    """It answers workspace/configuration."""
    watches_settings: bool = False
    """It reports changed settings if asked to."""
    progress: bool = False
    """It lets the server show progress."""
    name: str = ""
    opens_files: bool = False
    """It opens files that the server asks it to open."""
    watches_files: bool = False
    """It reports changed files if asked to, including those outside of its folders."""
    scopes_settings: bool = False
    """It returns user settings and workspace settings separately, as our VS Code extension does."""
    offers_models: bool = False
    """It offers to download a model if one is needed, as our VS Code extension does."""


def to_capabilities(params: types.InitializeParams) -> Capabilities:
    """Return the capabilities that the client announced."""
    client = params.capabilities
    item = _path(client, "text_document", "completion", "completion_item")
    return Capabilities(
        encoding=_choose_encoding(_path(client, "general", "position_encodings") or ()),
        snippets=bool(_path(item, "snippet_support")),
        keeps_indents=types.InsertTextMode.AsIs
        in (_path(item, "insert_text_mode_support", "value_set") or ()),
        inline=_path(client, "text_document", "inline_completion") is not None,
        pulls_settings=bool(_path(client, "workspace", "configuration")),
        scopes_settings=_announces(_path(client, "experimental"), "settingsByScope"),
        offers_models=_announces(_path(client, "experimental"), "offersModels"),
        watches_settings=bool(_path(client, "workspace", "did_change_configuration", "dynamic_registration")),
        watches_files=bool(
            _path(client, "workspace", "did_change_watched_files", "dynamic_registration")
            and _path(client, "workspace", "did_change_watched_files", "relative_pattern_support")
        ),
        progress=bool(_path(client, "window", "work_done_progress")),
        opens_files=bool(_path(client, "window", "show_document", "support")),
        name=params.client_info.name if params.client_info else "",
    )


def _announces(experimental: object, name: str) -> bool:
    """Check whether a client announced `{"llm-lsp": {name: true}}`.

    Read from capabilities, which the client's own code writes, and not from its settings, which a folder's
    files can change.
    """
    return to_settings(to_settings(experimental).get(SECTION)).get(name) is True


def to_settings_and_keys(options: object) -> tuple[Mapping[str, object], list[GivenKey]]:
    """Separate the keys `{"provider": …, "address": …, "key": …}` under `keys` from initialization options."""
    from llm_lsp.core.privacy.secret import GivenKey, Secret

    settings = {**to_settings(options)}
    given = settings.pop("keys", None)
    rows = map(to_settings, given if isinstance(given, list | tuple) else ())
    found = [[row.get(name) for name in ("provider", "address", "key")] for row in rows]
    whole = [fields for fields in found if all(isinstance(field, str) and field for field in fields)]
    return settings, [GivenKey(str(name), str(url), Secret(str(key))) for name, url, key in whole]


def to_scopes(value: object) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Split the settings of a client that separates them into the user's and the workspace's."""
    scopes = to_settings(value)
    return to_settings(scopes.get("user")), to_settings(scopes.get("workspace"))


def _path(value: Any, *names: str) -> Any:
    for name in names:
        value = getattr(value, name, None)
    return value


def _choose_encoding(offered: Iterable[str]) -> Encoding:
    """Return the first supported encoding: clients list the preferred one first, and all cost us the same."""
    known: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
    # LSP 3.17, "positionEncodings": the default is UTF-16.
    return next((encoding for name in offered for encoding in known if encoding == name), "utf-16")


def to_folders(params: types.InitializeParams) -> tuple[str, ...]:
    """Return the URIs of the workspace folders, or of the single root that older clients send."""
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
    """Return our section of a didChangeConfiguration: some clients send all sections, some only ours."""
    settings = to_settings(value)
    return to_settings(settings[SECTION]) if SECTION in settings else settings


def to_edits(
    document: Document,
    version: int,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> tuple[Document, tuple[Edit, ...]] | None:
    """Apply changes in order; return the new version and the edits.

    None if they cannot apply: the version is older, or a range starts more than a line below the text.
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
    """Start over from the last full text in the changes; None if there is none or later changes do not fit."""
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
    # Accept a reversed range, like vscode-languageserver-textdocument.
    return (start, end) if start <= end else (end, start)


def is_keystroke(edits: Sequence[Edit]) -> bool:
    """Check whether a change makes editors request completions automatically: a typed letter or a deletion."""
    return len(edits) == 1 and (
        not edits[0].text or (len(edits[0].text) == 1 and is_word_char(edits[0].text))
    )


def menu_trigger(context: types.CompletionContext | None, *, after_keystroke: bool) -> Trigger:
    """Return whether a menu request is automatic or manual.

    LSP 3.18 uses Invoked both for explicit requests and for typed identifiers ("CompletionTriggerKind"), so a
    request that directly follows a keystroke counts as automatic.
    """
    invoked = context is None or context.trigger_kind == types.CompletionTriggerKind.Invoked
    return Trigger.MANUAL if invoked and not after_keystroke else Trigger.AUTOMATIC


def inline_trigger(context: types.InlineCompletionContext) -> Trigger:
    """Return whether an inline request is automatic or manual, by the values of LSP 3.18."""
    invoked = context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    return Trigger.MANUAL if invoked else Trigger.AUTOMATIC


@dataclass(frozen=True, slots=True)
class CompletionParams:
    """The parts of a request that come from the connection."""

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
    """Build a request; with a selected menu item, for the document as if that item were accepted."""
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
    """Build the ghost text; `client_text` is the client's document, without the selected menu item.

    Always includes a range: without one, VS Code shows nothing in the middle of a line.
    """
    placed = _place(completion, request)
    if placed is None:
        return []
    start, end, text = placed
    command = types.Command(title="Accepted", command=ACCEPTED, arguments=[completion.id])
    span = _from_range(client_text, start, end, encoding)
    return [types.InlineCompletionItem(insert_text=text, range=span, command=command)]


def _place(completion: Completion, request: CompletionRequest) -> tuple[Point, Point, str] | None:
    """Return start, end and text in the client's document; None if the completion would change the selected
    item.
    """
    chosen = request.selected
    if chosen is None:
        return completion.start, completion.end, completion.text
    text = request.document.text.slice(chosen.start, completion.start) + completion.text
    if completion.start < chosen.start or not text.startswith(chosen.text):
        return None
    # To the right of the item, the client's line equals the request's line, shifted.
    replaced = max(completion.end.column - request.point.column, 0)
    return chosen.start, Point(chosen.end.line, chosen.end.column + replaced), text


def _from_range(text: Text, start: Point, end: Point, encoding: Encoding) -> types.Range:
    return types.Range(
        types.Position(*to_position(text, start, encoding)), types.Position(*to_position(text, end, encoding))
    )


def to_menu_items(
    completion: Completion, request: CompletionRequest, capabilities: Capabilities
) -> list[types.CompletionItem]:
    """Build the menu item. It replaces the typed word, because clients filter by that word.

    Uses TextEdit even for clients that support InsertReplaceEdit: the completion includes what it replaces to the
    right, so inserting it without replacing would duplicate that text.
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
    """Return the part of a text that the client inserts correctly; `before` precedes it on its line."""
    if "\n" not in text:
        return text
    if capabilities.keeps_indents:
        return text
    if not capabilities.snippets:
        # As plain text, several lines appear as NUL characters in Vim, and as only the first line in Neovim. A single
        # line works everywhere.
        return text.partition("\n")[0].rstrip("\r")
    return _unindent(text, before[: len(before) - len(before.lstrip())])


def _unindent(text: str, indentation: str) -> str:
    """Remove the current line's indentation from all other lines, for a client that adds it.

    Neovim (`vim.snippet`), Helix (helix#6263) and Sublime Text (LSP#1828) add it, whatever insertTextMode says. A
    less indented line cannot be expressed for them, so the text is cut before it.
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
        # Clients match it against the typed word; a longer text would hide the item at the next keystroke.
        filter_text=typed or None,
        sort_text="!",  # sorts before letters and digits
        text_edit=types.TextEdit(span, escape_snippet(text) if as_snippet else text),
        insert_text_format=types.InsertTextFormat.Snippet if as_snippet else types.InsertTextFormat.PlainText,
        command=types.Command(title="Accepted", command=ACCEPTED, arguments=[completion_id]),
    )


def escape_snippet(text: str) -> str:
    """Escape a text so that it is inserted literally by a snippet (LSP 3.18, "Snippet Syntax")."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")


def _label(text: str) -> str:
    """Return the first non-blank line, without characters that break a popup line."""
    first = next((line for line in text.split("\n") if line.strip()), text).strip()
    shown = "".join(char if char.isprintable() else " " for char in first[: _MAX_LABEL_CHARS + 1])
    return shown if len(shown) <= _MAX_LABEL_CHARS else shown[: _MAX_LABEL_CHARS - 1] + "…"


def server_capabilities(encoding: Encoding, commands: Iterable[str]) -> types.ServerCapabilities:
    """Return this server's capabilities; all are static, only notifications are registered later."""
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
        # Characters after which popups do not open automatically, but models often have a suggestion.
        completion_provider=types.CompletionOptions(trigger_characters=list(".([{,=: ")),
        inline_completion_provider=types.InlineCompletionOptions(),
        code_action_provider=types.CodeActionOptions(code_action_kinds=[ASK, "refactor.rewrite"]),
        execute_command_provider=types.ExecuteCommandOptions(commands=list(commands)),
        workspace=types.WorkspaceOptions(workspace_folders=folders),
    )
