"""Where the log goes."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

# Bytes, in three files: enough for a day of debugging, and the disk never fills (PRIVACY.md says so).
MAX_BYTES = 5 * 1024 * 1024
BACKUPS = 2
# At INFO these log whole messages and URLs: both can hold what must not be in a log.
TALKATIVE = ("pygls", "httpx", "httpcore", "asyncio", "markdown_it", "huggingface_hub")


def set_up_log(file: Path | None, level: str) -> None:
    """Log to a file that only its owner reads, or to standard error; `level` is a name such as "warning".

    Raises OSError where the file cannot be written.
    """
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        from logging.handlers import RotatingFileHandler

        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        handler = RotatingFileHandler(file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    # A full disk is no reason for a stack trace on standard error at each line, with the line's arguments in it.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
