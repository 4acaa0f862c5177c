"""The indentation that clients state beside a request."""

from __future__ import annotations

import pytest

from llm_lsp.lsp.formatting_options import to_indent


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"tabSize": 2, "insertSpaces": True}, "  "),
        ({"tabSize": 4, "insertSpaces": True}, "    "),
        ({"tabSize": 4, "insertSpaces": False}, "\t"),
        ({"insertSpaces": False}, "\t"),
        ({"tabSize": 2}, ""),
        ({"insertSpaces": True}, ""),
        ({"tabSize": 0, "insertSpaces": True}, ""),
        ({"tabSize": -4, "insertSpaces": True}, ""),
        ({"tabSize": 10**12, "insertSpaces": True}, ""),
        ({"tabSize": 2.0, "insertSpaces": True}, ""),
        ({"tabSize": True, "insertSpaces": True}, ""),
        ({"tabSize": "2", "insertSpaces": True}, ""),
        ({"tabSize": 2, "insertSpaces": 1}, ""),
        (None, ""),
        ([], ""),
        ("tabs", ""),
    ],
)
def test_only_what_is_sane_is_taken(options: object, wanted: str) -> None:
    assert to_indent(options) == wanted
