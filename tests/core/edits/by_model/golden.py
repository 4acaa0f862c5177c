"""Reads the golden cases of next edits by a model."""

from __future__ import annotations

from llm_lsp.core.edits.by_model.edit_families import EditFamily, family_of_format
from llm_lsp.core.edits.by_model.edit_input import EditInput, edit_input
from tests.core.edits.editing import edited
from tests.core.response.golden import Case


def family_in(case: Case) -> EditFamily:
    """Return the format that a case's head names."""
    (family,) = [
        family_of_format(name)
        for name in ("sweep", "zeta-2", "zeta-2.1", "chat")
        if name == case.head.get("format", "zeta-2")
    ]
    return family


def source_of(case: Case) -> EditInput:
    """Return what a model is shown after the changes of a case."""
    editing = edited(case)
    path = case.head.get("path", "main.py")
    bursts = editing.history.fresh_bursts(editing.now)
    return edit_input(editing.document, editing.cursor, bursts, lambda uri: path)
