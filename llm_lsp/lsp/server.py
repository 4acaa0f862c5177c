"""The LSP handlers. Each converts its params and calls the engine.

HANDLERS at the end lists them. The engine is built on first use, after `initialize` is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from llm_lsp import __version__
from llm_lsp.core.request import Completion, Face, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.engine.client.interface import Client, Engine
from llm_lsp.lsp import conversion as convert
from llm_lsp.lsp.commands import COMMANDS
from llm_lsp.lsp.documents.leniency import NO_VERSION
from llm_lsp.lsp.documents.notebooks import Notebooks
from llm_lsp.lsp.documents.opening import to_document
from llm_lsp.lsp.editor_client import EditorClient
from llm_lsp.lsp.formatting_options import InlineParams
from llm_lsp.lsp.protocol import Protocol
from llm_lsp.lsp.registrations import file_registrations, settings_registrations

Build = Callable[[Client], Engine]
"""Builds the engine; called once, after `initialize` is answered, so that its imports do not delay the answer."""

_log = logging.getLogger(__name__)

# How many documents are logged as out of step, so that a faulty client cannot fill the disk.
_MAX_LOGGED = 100


class Server(LanguageServer):
    """State shared by the handlers: the editor, what it announced, and the engine."""

    protocol: Protocol

    def __init__(self, build: Build) -> None:
        super().__init__("llm-lsp", __version__, protocol_cls=Protocol)
        self.protocol.on_out_of_step = self.put_out_of_step
        self._build = build
        self._engine: Engine | None = None
        self._params: types.InitializeParams
        self.editor: EditorClient
        self.on_parent: Callable[[int | None], None] = lambda pid: None
        """Called with the process id of the editor, or None if the client sends none."""
        self.folders: tuple[str, ...] = ()
        self.typed_in: str | None = None
        """URI of the document whose last change was a keystroke that no menu request has followed yet."""
        self.out_of_step: dict[str, Document] = {}
        """The last valid text of documents with a change that could not be read or does not fit, by URI.
        Nothing of them may be sent to a model until a change contains their full text.
        """
        self._logged: set[str] = set()
        self.notebooks = Notebooks()

    def greet(self, params: types.InitializeParams) -> None:
        """Store what the client announced."""
        self._params = params
        self.on_parent(params.process_id)
        self.editor = EditorClient(self.protocol, convert.to_capabilities(params))
        self.folders = convert.to_folders(params)

    @property
    def engine(self) -> Engine:
        """The engine, built on first use."""
        if self._engine is None:
            self._engine = self._build(self.editor)
            settings, keys = convert.to_settings_and_keys(self._params.initialization_options)
            self._engine.take_keys(keys)
            self._engine.configure("initializationOptions", settings)
            self._engine.set_folders(self.folders)
        return self._engine

    def warm_up(self) -> None:
        """Build the engine while the client prepares its first documents: the imports take a while."""
        _ = self.engine

    def put_out_of_step(self, uri: str) -> None:
        """Close a document for the engine until a change contains its full text."""
        if (document := self.engine.document(uri)) is not None:
            self.engine.close(uri)
            self.out_of_step[uri] = document

    def log_once(self, uri: str, fault: str) -> None:
        """Log once why a document gets no completions or wrong ones, although every keystroke detects it again."""
        if uri not in self._logged and len(self._logged) < _MAX_LOGGED:
            self._logged.add(uri)
            _log.warning("%.200r: %s", uri, fault)

    async def aclose(self) -> None:
        """Close the engine, if it was built."""
        if self._engine is not None:
            await self._engine.aclose()


def initialize(ls: Server, params: types.InitializeParams) -> types.InitializeResult:
    ls.greet(params)
    return types.InitializeResult(
        convert.server_capabilities(ls.editor.capabilities.encoding, COMMANDS),
        types.ServerInfo(ls.name, ls.version),
    )


def initialized(ls: Server, params: object) -> None:
    _register(ls, settings_registrations(ls.editor.capabilities))
    _pull_settings(ls)
    ls.warm_up()
    _register(ls, file_registrations(ls.editor.capabilities, ls.engine.settings_files))


def _register(ls: Server, wanted: list[types.Registration]) -> None:
    if wanted:
        ls.client_register_capability(types.RegistrationParams(wanted))


def _pull_settings(ls: Server) -> None:
    """Request the settings without waiting: if the client never answers, the defaults stay."""

    def take(answer: Future[Any]) -> None:
        if answer.cancelled():
            return  # the server is shutting down
        sections = [] if answer.exception() else answer.result()
        # Pass on empty settings too: the engine waits for them.
        settings = sections[0] if sections else {}
        if ls.editor.capabilities.scopes_settings:
            users, workspaces = convert.to_scopes(settings)
            ls.engine.configure("editor settings", workspaces, users)
        else:
            ls.engine.configure("editor settings", convert.to_settings(settings))

    if ls.editor.capabilities.pulls_settings:
        wanted = types.ConfigurationParams([types.ConfigurationItem(section=convert.SECTION)])
        ls.workspace_configuration(wanted).add_done_callback(take)
        # After the request, so that the client answers while the engine is built; the answer is processed later.
        ls.engine.expect_settings()


def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    settings = convert.to_section(params.settings)
    if settings or not ls.editor.capabilities.pulls_settings:
        ls.engine.configure("editor settings", settings)
    else:
        _pull_settings(ls)  # a client that can be asked sends no values here


def did_change_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.engine.settings_changed()


def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    ls.engine.saved(params.text_document.uri)


def did_change_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    removed = {folder.uri for folder in params.event.removed}
    added = (folder.uri for folder in params.event.added)
    ls.folders = (*(uri for uri in ls.folders if uri not in removed), *added)
    ls.engine.set_folders(ls.folders)


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    _open(ls, to_document(params.text_document))


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    _change(ls, params.text_document, params.content_changes)


def _change(
    ls: Server,
    identifier: types.VersionedTextDocumentIdentifier,
    changes: Sequence[types.TextDocumentContentChangeEvent],
) -> None:
    uri, encoding = identifier.uri, ls.editor.capabilities.encoding
    old = ls.engine.document(uri)
    if old is None:
        _bring_back(ls, identifier, changes)
        return
    version = old.version if identifier.version == NO_VERSION else identifier.version
    changed = convert.to_edits(old, version, changes, encoding)
    if changed is None:
        ls.log_once(
            uri, "a change does not fit the known text; no completions until the editor sends the full text"
        )
        ls.put_out_of_step(uri)
        _bring_back(ls, identifier, changes)
        return
    document, edits = changed
    ls.typed_in = uri if convert.is_keystroke(edits) else None
    ls.engine.change(document, edits)


def _bring_back(
    ls: Server,
    identifier: types.VersionedTextDocumentIdentifier,
    changes: Sequence[types.TextDocumentContentChangeEvent],
) -> None:
    """Reopen a document that was out of step, if the changes contain its full text."""
    lost = ls.out_of_step.get(identifier.uri)
    encoding = ls.editor.capabilities.encoding
    if lost and (document := convert.to_whole(lost, identifier.version, changes, encoding)):
        _open(ls, document)


def _open(ls: Server, document: Document) -> None:
    ls.out_of_step.pop(document.uri, None)
    ls.engine.open(document)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    _close(ls, params.text_document.uri)


def _close(ls: Server, uri: str) -> None:
    ls.out_of_step.pop(uri, None)
    ls.engine.close(uri)


def did_open_notebook(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    notebook = params.notebook_document
    ls.notebooks.open(notebook.uri, notebook.cells)
    for cell in params.cell_text_documents:
        _open(ls, to_document(cell, notebook.uri))
    ls.engine.arrange(notebook.uri, ls.notebooks.cells(notebook.uri))


def did_change_notebook(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    notebook, cells = params.notebook_document.uri, params.change.cells
    if cells is None:
        return
    if cells.structure is not None:
        ls.notebooks.splice(notebook, cells.structure.array)
        for opened in cells.structure.did_open or ():
            _open(ls, to_document(opened, notebook))
        for closed in cells.structure.did_close or ():
            _close(ls, closed.uri)
    if cells.data:
        ls.notebooks.update(notebook, cells.data)
    if cells.structure is not None or cells.data:
        ls.engine.arrange(notebook, ls.notebooks.cells(notebook))
    for content in cells.text_content or ():
        _change(ls, content.document, content.changes)


def did_close_notebook(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    for cell in params.cell_text_documents:
        _close(ls, cell.uri)
    ls.notebooks.close(params.notebook_document.uri)
    ls.engine.arrange(params.notebook_document.uri, ())


def inline_completion(
    ls: Server, params: InlineParams
) -> types.InlineCompletionList | Coroutine[Any, Any, types.InlineCompletionList]:
    ls.editor.asked_inline = True
    document = _document(ls, params)
    if document is None:
        return types.InlineCompletionList([])
    asking = _asking(ls, convert.inline_trigger(params.context), "inline")
    selected = params.context.selected_completion_info
    request = convert.to_request(document, params.position, asking, selected, params.indent)

    async def answer() -> types.InlineCompletionList:
        found = await ls.engine.suggestions(request)
        items = [
            item
            for one in found
            for item in convert.to_inline_items(one, request, document.text, asking.encoding)
        ]
        if not items and selected is None and not ls.editor.asked_edits:
            from llm_lsp.lsp.next_edits import inline_items

            items = await inline_items(ls.engine, asking.encoding, document, request.point)
        return types.InlineCompletionList(items)

    return answer()


def copilot_inline_edit(ls: Server, raw: object) -> object:
    from llm_lsp.lsp.next_edits import copilot_answer

    ls.editor.asked_edits = True
    return copilot_answer(ls.engine, ls.editor.capabilities.encoding, raw)


def completion(
    ls: Server, params: types.CompletionParams
) -> types.CompletionList | Coroutine[Any, Any, types.CompletionList]:
    after_keystroke = ls.typed_in == params.text_document.uri
    ls.typed_in = None
    document = _document(ls, params)
    if document is None:
        return types.CompletionList(is_incomplete=True, items=[])
    trigger = convert.menu_trigger(params.context, after_keystroke=after_keystroke)
    request = convert.to_request(document, params.position, _asking(ls, trigger, "menu"))

    async def answer() -> types.CompletionList:
        found = await ls.engine.complete(request)
        items = (
            convert.to_menu_items(found, request, ls.editor.capabilities)
            if isinstance(found, Completion)
            else []
        )
        # Incomplete even if empty, so that the client asks again at the next keystroke, when a completion may be ready.
        return types.CompletionList(is_incomplete=True, items=items)

    return answer()


def _document(ls: Server, params: types.InlineCompletionParams | types.CompletionParams) -> Document | None:
    uri = params.text_document.uri
    document = ls.engine.document(uri)
    if document is None:
        ls.log_once(uri, "a completion was requested, but the document was never opened")
    elif params.position.line >= document.text.line_count:
        ls.log_once(uri, "the cursor is below the last known line; the text may differ from the editor's")
    return document


def _asking(ls: Server, trigger: Trigger, face: Face) -> convert.CompletionParams:
    return convert.CompletionParams(
        ls.engine.next_id(), ls.engine.now(), ls.editor.capabilities.encoding, trigger, face
    )


def code_action(ls: Server, params: types.CodeActionParams) -> object:
    from llm_lsp.lsp.code_actions import to_actions
    from llm_lsp.lsp.next_edits import with_edit_actions

    return with_edit_actions(ls.engine, ls.editor.capabilities.encoding, params, to_actions(params))


def execute_command(ls: Server, params: types.ExecuteCommandParams) -> object:
    command = COMMANDS.get(params.command)
    if command is None:
        raise JsonRpcInvalidParams("unknown command")
    return command(ls.engine, ls.editor, tuple(params.arguments or ()))


HANDLERS: dict[str, Callable[[Any, Any], object]] = {
    types.INITIALIZE: initialize,
    types.INITIALIZED: initialized,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_folders,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: did_change_files,
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: did_open_notebook,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: did_change_notebook,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: did_close_notebook,
    types.TEXT_DOCUMENT_INLINE_COMPLETION: inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: completion,
    "textDocument/copilotInlineEdit": copilot_inline_edit,
    types.TEXT_DOCUMENT_CODE_ACTION: code_action,
    types.WORKSPACE_EXECUTE_COMMAND: execute_command,
}


def create_server(build: Build) -> Server:
    """Build a server; the caller sets its protocol's `writer` and `end`, and calls its `receive`."""
    server = Server(build)
    for method, handler in HANDLERS.items():
        server.feature(method)(handler)
    return server
