"""Which account holds a port of this machine, and which one is at the other end of a connection on it.

On Linux the kernel's tables name the account of every socket. On macOS `lsof` lists this user's own sockets only.
On Windows the tables name a process: one that this user may open counts as theirs. That is weaker, since a process
id is used again after its process ended, and an administrator may open every process.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Protocol

Owner = Literal["me", "system", "other", "unknown"]
"""Whose a socket is: this user's, a system account's, another person's, or it cannot be told."""


class Connection(Protocol):
    """A connected socket."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


Address = tuple[str, int]
"""An address of a socket, as `getsockname` returns it first: host and port."""

# The kernel writes its tables piece by piece: an entry can be missed while others come and go.
_LOOKS = 3
# Seconds between two looks where a server may not have accepted the connection yet.
_LOOK_EVERY_S = 0.1


def owner_of(account: int | None) -> Owner:
    """Return whose an account is."""
    if account is None:
        return "unknown"
    if account == _own_account():
        return "me"
    # Below 1000 are system accounts, 61184 to 65519 systemd's dynamic users (systemd.io/UIDS-GIDS).
    return "system" if account < 1000 or 61184 <= account <= 65519 else "other"


def listener_owner(port: int) -> Owner:
    """Return who listens on a port of the loopback addresses; Linux only, elsewhere "unknown".

    The least trusted one if several listen.
    """
    owners = {owner_of(uid) for address, uid in _listeners(_tables(), port) if _reaches_loopback(address)}
    trust: tuple[Owner, ...] = ("other", "system", "me")
    return next((owner for owner in trust if owner in owners), "unknown")


def peer_account(ours: Address, theirs: Address) -> int | None:
    """Return the account at the other end of a connection within this machine; None if it cannot be told.

    The connection stands, so that no other process can take its address meanwhile. Blocks for some milliseconds.
    """
    if sys.platform == "win32":
        return _windows_peer(ours, theirs)
    elif sys.platform == "darwin":
        return _macos_peer(ours, theirs)
    else:
        found = (_linux_peer(_tables(), ours, theirs) for _ in range(_LOOKS))
        return next((account for account in found if account is not None), None)


def socket_account(connection: Connection) -> int | None:
    """Return the account at the other end of a Unix socket; None if the system does not tell."""
    if sys.platform == "linux":
        # unix(7), struct ucred: process, user and group.
        return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
    elif sys.platform == "darwin":
        # sys/un.h and sys/ucred.h, LOCAL_PEERCRED and struct xucred: version, user.
        return int(struct.unpack("2I", connection.getsockopt(0, 1, 8))[1])
    else:
        return None


def is_loopback(host: str) -> bool:
    """Check whether the host of a socket's address is this machine's loopback."""
    return host == "::1" or host.removeprefix("::ffff:").startswith("127.")


def _own_account() -> int:
    return 0 if sys.platform == "win32" else os.getuid()


# Linux: proc(5) and net/ipv4/tcp_ipv4.c. A line has the local and the remote address, the state, two queues, a timer,
# retransmissions, the uid, a timeout and the inode. An address is written in 32-bit words of the machine's byte order.
_LISTEN = "0A"
_ANY = ("0" * 8, "0" * 32)
_MAPPED = "0" * 16 + "FFFF0000"
_LOOPBACK_6 = "0" * 24 + "01000000"


def _tables() -> str:
    """Return the kernel's tables of TCP sockets; empty on other systems."""
    return "".join(_read(Path(f"/proc/net/{name}")) for name in ("tcp", "tcp6"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _linux_peer(tables: str, ours: Address, theirs: Address) -> int | None:
    for their_host, our_host in zip(_spellings(theirs[0]), _spellings(ours[0]), strict=True):
        entry = f" {their_host}:{theirs[1]:04X} {our_host}:{ours[1]:04X} "
        at = tables.find(entry)
        if at < 0:
            continue
        after = at + len(entry)
        *_, uid, _, inode = tables[after : tables.find("\n", after)].split()[:7]
        # Without an inode no process has accepted it yet, and its listener's account counts: a listener that goes
        # takes such connections with it, and only one process can listen on an address.
        return int(uid) if inode != "0" else _listener(tables, theirs)
    return None


def _listener(tables: str, theirs: Address) -> int | None:
    """Return the account that listens on an address: on that one alone before all addresses."""
    found = list(_listeners(tables, theirs[1]))
    for hosts in (_spellings(theirs[0]), _ANY):
        accounts = {uid for host, uid in found if host in hosts}
        if accounts:
            return accounts.pop() if len(accounts) == 1 else None
    return None


def _listeners(tables: str, port: int) -> Iterator[tuple[str, int]]:
    """Yield the address and the account of each socket that listens on a port."""
    for line in tables.splitlines():
        if f":{port:04X} " in line:
            _, local, _, state, _, _, _, uid, *_ = line.split()
            host, _, port_hex = local.partition(":")
            if state == _LISTEN and int(port_hex, 16) == port:
                yield host, int(uid)


def _spellings(host: str) -> tuple[str, ...]:
    """Write a host as the tables do; an IPv4 address can also stand in the table of IPv6."""
    host = host.removeprefix("::ffff:")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host.partition("%")[0])
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    text = "".join(f"{word:08X}" for word in words)
    return (text,) if family == socket.AF_INET6 else (text, _MAPPED + text)


def _reaches_loopback(address: str) -> bool:
    if address in (*_ANY, _LOOPBACK_6):
        return True
    last_word = address if len(address) == 8 else address.removeprefix(_MAPPED)
    return len(last_word) == 8 and (last_word == _ANY[0] or last_word.endswith("7F"))


def _macos_peer(ours: Address, theirs: Address) -> int | None:
    names: Iterable[str] = ()
    for look in range(_LOOKS):
        if look:
            time.sleep(_LOOK_EVERY_S)
        names = _own_sockets(theirs[1])
        if f"{_written(theirs)}->{_written(ours)}" in names:
            return _own_account()
    # Not accepted yet. A listener on this very address has no other before it.
    return _own_account() if _written(theirs) in names else None


def _own_sockets(port: int) -> set[str]:
    """List the TCP sockets of this user with a port, as `lsof` writes them."""
    import subprocess

    command = ["/usr/sbin/lsof", "-nP", "-a", "-u", str(_own_account()), f"-iTCP:{port}", "-Fn"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return {line[1:] for line in listing.stdout.splitlines() if line.startswith("n")}


def _written(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if sys.platform == "win32":
    import ctypes

    # iprtrmib.h and winnt.h.
    _TABLE_OWNER_PID_ALL = 5
    _QUERY_INFORMATION = 0x0400

    def _windows_peer(ours: Address, theirs: Address) -> int | None:
        """Return the own account for a process that this user may open, None for any other."""
        kernel32 = ctypes.WinDLL("kernel32")
        kernel32.OpenProcess.restype = ctypes.c_void_p
        for pid in _windows_pids(ours, theirs):
            handle = kernel32.OpenProcess(_QUERY_INFORMATION, False, pid)
            if handle:
                kernel32.CloseHandle(ctypes.c_void_p(handle))
                return _own_account()
        return None

    def _windows_pids(ours: Address, theirs: Address) -> Iterator[int]:
        """Yield the process at the other end: rows of MIB_TCPTABLE_OWNER_PID and MIB_TCP6TABLE_OWNER_PID."""
        is_v6 = ":" in theirs[0]
        family, width = (socket.AF_INET6, 56) if is_v6 else (socket.AF_INET, 24)
        wanted = _windows_end(theirs), _windows_end(ours)
        table = _windows_table(family)
        for at in range(4, len(table) - width + 1, width):
            row = table[at : at + width]
            if is_v6:
                ends = (row[0:16] + row[20:22], row[24:40] + row[44:46])
            else:
                ends = (row[4:8] + row[8:10], row[12:16] + row[16:18])
            if ends == wanted:
                yield int.from_bytes(row[-4:], "little")

    def _windows_end(address: Address) -> bytes:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        return socket.inet_pton(family, address[0]) + address[1].to_bytes(2, "big")

    def _windows_table(family: int) -> bytes:
        ask = ctypes.WinDLL("iphlpapi").GetExtendedTcpTable
        size = ctypes.c_ulong(0)
        ask(None, ctypes.byref(size), False, family, _TABLE_OWNER_PID_ALL, 0)
        # The table may grow between the two calls.
        buffer = ctypes.create_string_buffer(size.value * 2)
        size.value = len(buffer)
        failed = ask(buffer, ctypes.byref(size), False, family, _TABLE_OWNER_PID_ALL, 0)
        if failed:
            return b""
        count = int.from_bytes(buffer.raw[:4], "little")
        return buffer.raw[: 4 + count * (56 if family == socket.AF_INET6 else 24)]
