"""What editors announce about themselves, as data."""

from __future__ import annotations

from typing import Any

from llm_lsp.lsp.conversion import Capabilities

# What editors announce, recorded from their `initialize` (names and fields as they send them).
EDITORS: dict[str, tuple[dict[str, Any], Capabilities]] = {
    "VS Code": (
        {
            "general": {"positionEncodings": ["utf-16"]},
            "textDocument": {
                "completion": {
                    "completionItem": {"snippetSupport": True, "insertTextModeSupport": {"valueSet": [1, 2]}}
                },
                "inlineCompletion": {"dynamicRegistration": True},
            },
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
            "window": {"workDoneProgress": True},
        },
        Capabilities("utf-16", True, True, True, True, True, True, "VS Code"),
    ),
    "Neovim 0.11": (
        {
            "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": False}},
            "window": {"workDoneProgress": True},
        },
        Capabilities("utf-8", True, False, False, True, False, True, "Neovim 0.11"),
    ),
    "Helix": (
        {
            "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
            "workspace": {"configuration": True},
        },
        Capabilities("utf-8", True, False, False, True, False, False, "Helix"),
    ),
    "lsp-mode": (
        {
            "general": {"positionEncodings": ["utf-32", "utf-8", "utf-16"]},
            "textDocument": {"completion": {"completionItem": {"snippetSupport": False}}},
            "workspace": {"configuration": True},
        },
        Capabilities("utf-32", False, False, False, True, False, False, "lsp-mode"),
    ),
    "vim-lsp": ({}, Capabilities("utf-16", name="vim-lsp")),
    "one with an encoding of its own": (
        {"general": {"positionEncodings": ["utf-7", "utf-32"]}},
        Capabilities("utf-32", name="one with an encoding of its own"),
    ),
    "one with no encoding that we know": (
        {"general": {"positionEncodings": ["utf-7"]}},
        Capabilities("utf-16", name="one with no encoding that we know"),
    ),
}
