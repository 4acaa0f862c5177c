"""The tags that enclose files in a chat prompt."""

from __future__ import annotations

from llm_lsp.core.text.invisible_chars import plain_name


def file_tag(path: str, language: str = "", first_line: int = 0) -> str:
    """Return the tag that opens a file; the name is escaped so that it cannot end or extend the tag."""
    # Imported here: only chats need it, and it loads a table of 2,000 names.
    from html import escape

    attributes = {"path": path, "language": language, "first_line": str(first_line or "")}
    written = (f' {key}="{escape(plain_name(value))}"' for key, value in attributes.items() if value)
    return f"<file{''.join(written)}>"
