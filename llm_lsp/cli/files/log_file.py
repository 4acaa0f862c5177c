"""Sets up where the log is written."""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
from pathlib import Path

# Bytes per file, three files in all: enough for a day of debugging, and a fixed limit (stated in PRIVACY.md).
MAX_BYTES = 5 * 1024 * 1024
BACKUPS = 2
# At INFO these libraries log whole messages and URLs, which can contain code and keys.
TALKATIVE = ("pygls", "httpx", "httpcore", "asyncio", "markdown_it", "huggingface_hub")


def set_up_log(file: Path | None, level: str) -> None:
    """Log to a file that only its owner can read, or to standard error; `level` is a name such as "warning".

    Raises OSError if the file cannot be written.
    """
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        from logging.handlers import RotatingFileHandler

        file.parent.mkdir(parents=True, exist_ok=True)
        _create(file)
        handler = RotatingFileHandler(file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    # Without this a full disk would print a stack trace with the log record's arguments for every line.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _create(file: Path) -> None:
    # A device may be meant. A pipe would block the server when nothing reads it.
    flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(file, flags, 0o600)
    try:
        if stat.S_ISFIFO(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe")
    finally:
        os.close(handle)
