"""What may stand right before and behind a secret."""

from __future__ import annotations

BEFORE = [
    r'"user\n', r'"user\t', r'"user\r', r'"user\0', "a%3D", "a%253D", r'"a\u003d', r'"a\x3d', "cache_", "cache-", "x.",
    "密码", "é", "my", "9", "TOKEN", "=", "`", "\\\\n",
]  # fmt: skip
AFTER = ["", "_old", "_x", r"\n", "%20", ".", "/", "-", "密码", '"']
