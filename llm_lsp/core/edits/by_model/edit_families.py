"""The models that are trained for next edits, as data: how each is recognized, and the marks of its format.

Sources, read in 2026: for Sweep the package `sweep-autocomplete` 0.1.1 (PyPI, Apache-2.0); for Zeta
zed-industries/zed, crates/zeta_prompt/src (zeta_prompt.rs, formats V0211SeedCoder and V0318SeedMultiRegions, and
multi_region.rs).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from llm_lsp.core.prompt.fim_families import bare_name

EditFormat = Literal["sweep", "zeta-2", "zeta-2.1", "chat"]
"""How a model is asked for a next edit, and how it answers."""


@dataclass(frozen=True, slots=True)
class EditFamily:
    """A format: what its models are called, and what would confuse them or end their answer."""

    format: EditFormat
    pattern: str
    """Regular expression for the models' names in lower case; "" for a format of any model."""
    cursor: str
    """The mark of the cursor."""
    marks: tuple[str, ...]
    """Texts that a document must not have, and an answer must not keep."""
    stops: tuple[str, ...]
    """Strings that end an answer."""


_SEED = ("<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>", "<filename>")
END_OF_SENTENCE = "<[end▁of▁sentence]>"
MARKER = "<|marker_"

SWEEP = EditFamily(
    "sweep",
    r"sweep-?next-?edit",
    cursor="<|cursor|>",
    marks=("<|file_sep|>", "<|cursor|>", "<|endoftext|>"),
    stops=("<|endoftext|>", "<|file_sep|>"),
)
ZETA_2 = EditFamily(
    "zeta-2",
    r"zeta-?2(?!\.\d)",
    cursor="<|user_cursor|>",
    marks=(*_SEED, "<|user_cursor|>", "<<<<<<< CURRENT", ">>>>>>> UPDATED"),
    stops=(">>>>>>> UPDATED", END_OF_SENTENCE),
)
ZETA_2_1 = EditFamily(
    "zeta-2.1",
    r"zeta-?2\.1",
    cursor="<|user_cursor|>",
    marks=(*_SEED, "<|user_cursor|>", MARKER, END_OF_SENTENCE),
    stops=(END_OF_SENTENCE,),
)
CHAT = EditFamily(
    "chat",
    "",
    cursor="<|cursor|>",
    marks=("<|cursor|>", "<|window|>", "<|/window|>"),
    stops=(),
)
EDIT_FAMILIES = (SWEEP, ZETA_2, ZETA_2_1, CHAT)


def edit_family_of(model: str) -> EditFamily | None:
    """Return the family that a model's name belongs to; None if it is not known to be trained for next edits."""
    name = bare_name(model)
    named = (family for family in EDIT_FAMILIES if family.pattern)
    return next((family for family in named if re.search(family.pattern, name)), None)


def family_of_format(name: EditFormat) -> EditFamily:
    """Return a format's family."""
    return next(family for family in EDIT_FAMILIES if family.format == name)
