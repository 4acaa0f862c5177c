"""A blocking connection to a local model server, which checks the server's account before the key is sent."""

from __future__ import annotations

import http.client
import socket

from llm_lsp.port_owners import owner_of, peer_account, socket_account


class ServerConnection(http.client.HTTPConnection):
    """A connection to a port, or to a Unix socket if the server has one.

    It connects at the first request, which raises OSError if another account runs the server.
    """

    def __init__(self, port: int, socket_path: str, timeout_s: float) -> None:
        super().__init__("127.0.0.1", port, timeout=timeout_s)
        self._path = socket_path

    def connect(self) -> None:
        if self._path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._path)
            account = socket_account(self.sock)
        else:
            super().connect()
            account = peer_account(self.sock.getsockname(), self.sock.getpeername())
        if owner_of(account) != "me":
            raise ConnectionRefusedError("the server runs as another account")
