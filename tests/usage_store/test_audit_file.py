"""Audit files are appended to by many, and summed up whatever else is in them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from llm_lsp.cli.main import group
from llm_lsp.core.usage.audit import audit_line
from llm_lsp.errors import BooksError
from llm_lsp.usage_store.audit_file import append_lines, sum_files
from tests.usage_store.audit_rows import CALL

LINE = audit_line(CALL, "https://llm.team.example")


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    assert append_lines(str(path), [LINE]) + append_lines(str(path), [LINE, LINE]) == 3
    assert path.read_text() == f"{LINE}\n" * 3
    assert os.name != "posix" or path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name != "posix", reason="POSIX files")
@pytest.mark.parametrize("kind", ["folder", "pipe", "no folder"])
def test_what_is_no_file_is_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "audit.jsonl"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path = tmp_path / "none" / "audit.jsonl"
    with pytest.raises(BooksError, match=r"audit\.jsonl"):
        append_lines(str(path), [LINE])


def test_a_full_disk_loses_no_line_and_writes_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.jsonl"
    sizes = [len(LINE) + 1, 5, 1]

    def write(handle: int, data: bytes) -> int:
        return os_write(handle, data[: sizes.pop(0)])

    os_write = os.write
    monkeypatch.setattr(os, "write", write)
    assert append_lines(str(path), [LINE] * 3) == 1
    monkeypatch.undo()
    append_lines(str(path), [LINE] * 2)

    sums = sum_files([path], "2026-01-01")
    assert (sums.total.calls, sums.unreadable) == (3, 1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="half a line"),
        pytest.param("[]", id="a list"),
        pytest.param("[" * 4000, id="nested"),
        pytest.param(LINE.replace("120", '"120"'), id="a count as text"),
        pytest.param(LINE.replace("120", "-1"), id="a negative count"),
        pytest.param(LINE.replace('"tokens"', '"tokes"'), id="no counts"),
        pytest.param(LINE + "x" * 5000, id="a long line"),
        pytest.param("\x00\ufffd", id="no text"),
    ],
)
def test_a_line_of_another_kind_is_left_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text(f"{LINE}\n{text}\n\n{LINE}\n")
    sums = sum_files([path], "2026-01-01")
    assert (sums.total.calls, sums.unreadable) == (2, 1)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group, ["usage", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_usage_sums_the_files_of_several_machines(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.jsonl", "two.jsonl")]
    files[0].write_text(f"{LINE}\n" * 2)
    files[1].write_text(LINE.replace("team.example", "other.example") + "\nx\n")
    code, output, error = run("--json", "--since", "2026-12-01", *map(str, files))

    report = json.loads(output)
    assert code == 0
    assert "not counted" in error
    assert (report["files"], report["unreadable_lines"]) == (2, 1)
    assert report["total"]["tokens"] == {"read": 360, "cached": 300, "written": 27}
    assert report["total"]["reasons"] == {"automatic": 3, "RateLimitError": 3}
    assert {origin: each["calls"] for origin, each in report["by"]["origin"].items()} == {
        "https://llm.team.example": 2,
        "https://llm.other.example": 1,
    }
    assert list(report["by"]["day"]) == ["2026-12-01"]


def test_usage_of_files_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text(f"{LINE}\n")
    _, output, _ = run("--since", "2026-01-01", str(path))
    assert "1 calls, 120 tokens read" in output
    assert "team coder" in output


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    code, _, error = run(str(tmp_path / "none.jsonl"))
    assert code != 0
    assert "none.jsonl cannot be read" in error
