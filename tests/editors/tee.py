"""Stands between an editor and its server, and writes down every message of both; changes none.

Runs by itself: `python -m tests.editors.tee RECORD.jsonl COMMAND…`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock, Thread
from typing import IO

from tests.editors.fake_server import read_messages


class Tee:
    """Copies messages, and keeps their order over both directions."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._lock = Lock()

    def copy(self, sender: str, source: IO[bytes], target: IO[bytes]) -> None:
        """Pass on every message of a stream until it ends."""
        for message in read_messages(source):
            with self._lock, self._record.open("a", encoding="utf-8") as record:
                record.write(json.dumps({"from": sender, "message": message}) + "\n")
            body = json.dumps(message).encode()
            target.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            target.flush()
        target.close()


def main() -> None:
    """Copy until the server is gone; it goes when the editor does, or when the editor says so."""
    record, *command = sys.argv[1:]
    tee = Tee(Path(record))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        # A reader of its own: sys.stdin, held by a thread, would stop the interpreter's end.
        editor = os.fdopen(os.dup(0), "rb")
        Thread(target=tee.copy, args=("editor", editor, server.stdin), daemon=True).start()
        tee.copy("server", server.stdout, sys.stdout.buffer)


if __name__ == "__main__":
    main()
