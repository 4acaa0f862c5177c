"""Finds the line above a text that was cut out, without which a secret in the text's first lines would not be seen."""

from __future__ import annotations

from collections.abc import Sequence

from llm_lsp.core.secrets.assignments import names_next
from llm_lsp.core.secrets.private_keys import LOOK_COLUMNS, begun_above


def telling_line(above: Sequence[str]) -> str:
    """Return the line that begins a private key, or ends with a secret's name, above a text, with a line end.

    `above` are the lines before the text, nearest last. "" if there is no such line.
    """
    if mark := begun_above(above):
        return f"{mark}\n"
    last = above[-1][-LOOK_COLUMNS:].rstrip("\r\n") if above else ""
    return f"{last}\n" if names_next(last) else ""
