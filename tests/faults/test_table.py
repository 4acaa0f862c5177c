"""docs/faults.md and the tests in this folder name each other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "faults.md"
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
# `test_fault_04_05_claim` tries faults 4 and 5.
NAME = re.compile(r"test_fault_((?:\d\d_)+)(\w+)")


def rows() -> list[tuple[int, frozenset[str]]]:
    """Return each row's number and tests, as `module: claim`."""
    found = ROW.findall(TABLE.read_text("utf-8"))
    return [(int(number), frozenset(re.findall(r"`([^`]+)`", tests))) for number, tests in found]


def claims() -> set[tuple[int, str]]:
    """Return the numbers of each test in this folder, with the test as the table names it."""
    found = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                match := NAME.fullmatch(node.name)
            ):
                module = path.stem.removeprefix("test_")
                found |= {(int(n), f"{module}: {match[2]}") for n in match[1].rstrip("_").split("_")}
    return found


def test_the_numbers_have_no_gap() -> None:
    assert [number for number, _ in rows()] == list(range(1, len(rows()) + 1))


def test_each_fault_has_its_tests_and_each_test_its_fault() -> None:
    assert {(number, test) for number, named in rows() for test in named} == claims()
    assert all(named for _, named in rows())
