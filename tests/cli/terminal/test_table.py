"""A table has whole lines for a pipe, fits a terminal, and shows what is in it as it is."""

from __future__ import annotations

import pytest

from llm_lsp.cli.terminal.table import print_table


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_figures_stand_to_the_right_and_an_empty_row_is_a_blank_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(("name", "calls"), [("a", "1"), (), ("bbbbb", "1,000")], figures=("calls",), title="by name")

    assert printed(capsys) == ["by name", "name   calls", "────────────", "a          1", "", "bbbbb  1,000"]


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "note"), [("a", "word " * 40 + "end")])

    assert printed(capsys)[-1].endswith("word end")


def test_a_narrow_terminal_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("COLUMNS", "30"), ("FORCE_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    print_table(("name", "address", "MB"), [("a-name", "https://host.example/v1/more", "1,000")], ("MB",))

    lines = printed(capsys)

    assert "…" not in "".join(lines)
    assert all(part in lines[2] for part in ("a-name", "https://", "1,000"))
    assert "".join(line[6:].split()[0] for line in lines[2:]) == "https://host.example/v1/more"


def test_what_looks_like_an_order_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [("[bold]\x1b[2J",)], title="[red]\x07")

    lines = printed(capsys)

    assert (lines[0], lines[-1]) == ("[red]\\x07", "[bold]\\x1b[2J")
