"""The log goes to a file of its user, and to nothing that could hold the server up."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_lsp.cli.files.log_file import set_up_log


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before, level, raises = [*root.handlers], root.level, logging.raiseExceptions
    yield root
    for handler in {*root.handlers}.difference(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.raiseExceptions = raises


@pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes")
@pytest.mark.parametrize("is_read", [False, True])
def test_a_pipe_is_no_log_file(is_read: bool, tmp_path: Path, root_logger: logging.Logger) -> None:
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    before = [*root_logger.handlers]
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if is_read else -1

    with pytest.raises(OSError):
        set_up_log(pipe, "debug")

    assert root_logger.handlers == before
    if is_read:
        os.close(reader)


@pytest.mark.skipif(sys.platform == "win32", reason="has no modes")
def test_a_log_file_is_readable_by_its_user_only(tmp_path: Path) -> None:
    set_up_log(tmp_path / "made" / "log", "info")
    logging.getLogger("llm_lsp").warning("a line")

    assert (tmp_path / "made" / "log").read_text().endswith("a line\n")
    assert (tmp_path / "made" / "log").stat().st_mode & 0o777 == 0o600
