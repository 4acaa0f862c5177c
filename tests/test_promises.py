"""SECURITY.md and PRIVACY.md: each claim names a test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("SECURITY.md", "PRIVACY.md")
CLAIM = re.compile(r"^- (.+)$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`$")


def claims() -> list[tuple[str, str]]:
    return [(page, claim) for page in PAGES for claim in CLAIM.findall((ROOT / page).read_text("utf-8"))]


def names_in(file: Path) -> set[str]:
    """Return the tests of a file, as pytest names them."""
    found = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        methods = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {
            prefix + method.name
            for method in methods
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return found


@pytest.mark.parametrize(("page", "claim"), claims())
def test_a_claim_has_a_test(page: str, claim: str) -> None:
    named = TEST.search(claim)
    assert named, f"{page} claims without a test"
    assert named[2] in names_in(ROOT / named[1])


def test_both_pages_claim_something() -> None:
    assert {page for page, _ in claims()} == {*PAGES}
