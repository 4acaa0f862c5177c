"""The glossary stays short, and each term's module exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    line.split("|")[1:4]
    for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| term", "| ---"))
]


def test_the_glossary_can_be_read_in_one_go() -> None:
    assert 30 <= len(ROWS) <= 60


def test_the_terms_are_sorted() -> None:
    terms = [term.strip().lower() for term, _, _ in ROWS]
    assert terms == sorted(terms)


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip() for row in ROWS])
def test_a_terms_module_exists(row: list[str]) -> None:
    modules = re.findall(r"`([^`]+)`", row[2])

    assert modules
    assert [name for name in modules if not (ROOT / "llm_lsp" / name).exists()] == []
