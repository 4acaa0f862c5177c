from __future__ import annotations

import pytest

from llm_lsp.core.text.brackets import imbalance, loose


@pytest.mark.parametrize(
    ("code", "closers", "openers"),
    [
        ("", "", ""),
        ("f(a[0])", "", ""),
        ("f(a", "", "("),
        ("a)]", ")]", ""),
        ("(]", "]", "("),
        ('print(")")', "", ""),
        ('print("a', "", '("'),
        ('"a\\"b"', "", ""),
        ("don't (", "", "("),
        ("'x", "", "'"),
        ('"""\n(', "", "("),
        ("（价", "", "（"),
        ("\\", "", ""),
        ('"\\', "", '"'),
    ],
)
def test_brackets_without_partner_are_found(code: str, closers: str, openers: str) -> None:
    found = loose(code)

    assert "".join(closer for closer, _ in found.closers) == closers
    assert all(code[at] == closer for closer, at in found.closers)
    assert found.openers == openers


@pytest.mark.parametrize(("line", "balance"), [("if (a) {", 1), ("})", -2), ('"', 0), ("f()", 0)])
def test_the_balance_counts_brackets_only(line: str, balance: int) -> None:
    assert imbalance(line) == balance
