"""Servers that run as other accounts of this machine; starting one needs root."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

ME = 0 if sys.platform == "win32" else os.geteuid()
NOBODY = 65534
"""By its number no system account."""
root_only = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="starts a server as another account"
)

# A socket belongs to the account that makes it.
_SCRIPT = """
import os, socket, sys
uid, host, port, family = sys.argv[1:]
os.setuid(int(uid))
both = host == "::"
server = socket.create_server((host, int(port)), family=int(family), dualstack_ipv6=both)
print(server.getsockname()[1], flush=True)
came = b""
for line in sys.stdin:
    connection, _ = server.accept()
    if line.strip() == "read":
        came = connection.recv(65536)
    print(came, flush=True)
"""


@dataclass(frozen=True)
class AccountServer:
    """A process that listens and accepts when it is told to."""

    process: subprocess.Popen[str]
    port: int

    def accept(self) -> None:
        """Accept one connection, and keep it."""
        self._tell("accept")

    def read(self) -> bytes:
        """Accept one connection, and return the first bytes that come; nothing if it is closed before."""
        return bytes(ast.literal_eval(self._tell("read")))

    def _tell(self, command: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def serving_as(uid: int, host: str = "127.0.0.1", port: int = 0) -> Iterator[AccountServer]:
    """Run a server as an account; skip the test if the address is not to be had here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    command = [sys.executable, "-c", _SCRIPT, str(uid), host, str(port), str(int(family))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline().strip()
            if not told and ":" in host:
                pytest.skip("IPv6 is not here")
            yield AccountServer(process, int(told))
        finally:
            process.kill()
