"""Characters that are invisible, or change how others are displayed."""

from __future__ import annotations

HIDDEN = (
    *(chr(code) for code in range(0x20) if chr(code) not in "\t\n"),
    *"\x7f\x80\x85\x9b\xad\u034f\u061c\u115f\u1160\u17b4\u180e",
    *"\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2062\u2066\u2067\u2068\u2069",
    *"\u3164\ufe00\ufe0f\ufeff\uffa0\ufff9\ud800\udfff\U0001d173\U000e0001\U000e0041\U000e007f\U000e0100",
)
