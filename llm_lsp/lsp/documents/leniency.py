"""Fill in what clients leave out of their messages against the protocol, so that they are served nevertheless."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lsprotocol import types

# Stands for the version of a client that counts none: the server keeps the one that it has.
NO_VERSION = -1
# What LSP 3.18 calls Automatic; a request without a context is not assumed to be manual.
_AUTOMATIC = int(types.InlineCompletionTriggerKind.Automatic)


def fill_in(method: str, params: Any) -> list[str]:
    """Add the required fields that are missing or null in decoded params; return their names."""
    fill = _FILLS.get(method)
    return list(fill(params)) if fill is not None and isinstance(params, dict) else []


def _inline(params: dict[str, Any]) -> Iterator[str]:
    yield from _default(params, "context", {})
    yield from _default(params["context"], "triggerKind", _AUTOMATIC)


def _opened(params: dict[str, Any]) -> Iterator[str]:
    yield from _item(params.get("textDocument"))


def _changed(params: dict[str, Any]) -> Iterator[str]:
    yield from _default(params.get("textDocument"), "version", NO_VERSION)


def _notebook_opened(params: dict[str, Any]) -> Iterator[str]:
    yield from _default(params.get("notebookDocument"), "version", 0)
    for item in _list(params.get("cellTextDocuments")):
        yield from _item(item)


def _notebook_changed(params: dict[str, Any]) -> Iterator[str]:
    yield from _default(params.get("notebookDocument"), "version", 0)
    cells = _map(_map(params.get("change")).get("cells"))
    for item in _list(_map(cells.get("structure")).get("didOpen")):
        yield from _item(item)
    for content in _list(cells.get("textContent")):
        yield from _default(_map(content).get("document"), "version", NO_VERSION)


def _item(item: Any) -> Iterator[str]:
    yield from _default(item, "languageId", "")
    yield from _default(item, "version", 0)


def _default(fields: Any, name: str, value: Any) -> Iterator[str]:
    if isinstance(fields, dict) and fields.get(name) is None:
        fields[name] = value
        yield name


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_FILLS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    types.TEXT_DOCUMENT_INLINE_COMPLETION: _inline,
    types.TEXT_DOCUMENT_DID_OPEN: _opened,
    types.TEXT_DOCUMENT_DID_CHANGE: _changed,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: _notebook_opened,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: _notebook_changed,
}
