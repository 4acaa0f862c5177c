"""Turn the documents that a client opens into ours."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from lsprotocol import types

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.language_ids import document_language
from llm_lsp.core.text.text import Text
from llm_lsp.lsp.documents.notebooks import notebook_of

# Characters of a text in which its first line, such as `#!/bin/sh`, is read.
MAX_FIRST_LINE_CHARS = 200


def to_document(item: types.TextDocumentItem, notebook: str = "") -> Document:
    """Return an opened document; its name and first line tell its language if the client does not.

    `notebook` is the URI of the notebook that it is a cell of.
    """
    first_line = item.text[:MAX_FIRST_LINE_CHARS].partition("\n")[0]
    language = document_language(_path(item.uri), item.language_id, first_line)
    return Document(item.uri, language, item.version, Text.of(item.text), notebook_of(item.uri, notebook))


def _path(uri: str) -> str:
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:
        return ""
