"""Finds the account that owns a listening port of this machine, or the other end of a local connection.

On Linux the kernel's socket tables name the account of every socket. On other systems psutil lists sockets by
process: on macOS only those of this user's processes, on Windows all, but only this user's accounts are known.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

Owner = Literal["me", "system", "other", "unknown"]
"""A socket's owner: this user, a system account, another person's account, or unknown."""


class Connection(Protocol):
    """A connected socket."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


Address = tuple[str, int]
"""Host and port of a socket, the first two items of `getsockname`."""

# The kernel writes its tables in pieces, so an entry can be missed while others change; hence several reads.
_LOOKS = 3
# Seconds between two reads, if the server may not have accepted the connection yet.
_LOOK_EVERY_S = 0.1


def owner_of(account: int | None) -> Owner:
    """Classify an account; None is "unknown"."""
    if account is None:
        return "unknown"
    if account == _own_account():
        return "me"
    # Below 1000 are system accounts, 61184 to 65519 systemd's dynamic users (systemd.io/UIDS-GIDS).
    return "system" if account < 1000 or 61184 <= account <= 65519 else "other"


def listener_owner(port: int) -> Owner:
    """Return the owner of the listener on one port; see `listener_owners`."""
    return listener_owners((port,))[port]


def listener_owners(ports: Collection[int]) -> Mapping[int, Owner]:
    """Return the owner of the listener on each port of the loopback addresses; of several, the least trusted.

    "unknown" if there is no listener, or its account cannot be determined. Blocks for some milliseconds.
    """
    trust: tuple[Owner, ...] = ("other", "unknown", "system", "me")
    found = _linux_listeners(ports) if sys.platform == "linux" else _process_listeners(ports)
    owners: dict[int, set[Owner]] = {port: set() for port in ports}
    for port, account in found:
        owners[port].add(owner_of(account))
    return {port: next((each for each in trust if each in owners[port]), "unknown") for port in ports}


def peer_account(ours: Address, theirs: Address) -> int | None:
    """Return the account at the other end of a connection within this machine; None if unknown.

    While the connection is open, no other process can take over its address. Blocks for some milliseconds.
    """
    if sys.platform == "linux":
        found = (_linux_peer(_tables(), ours, theirs) for _ in range(_LOOKS))
        return next((account for account in found if account is not None), None)
    else:
        return _process_peer(ours, theirs)


def socket_account(connection: Connection) -> int | None:
    """Return the account at the other end of a Unix socket; None if the system does not report it."""
    if sys.platform == "linux":
        # unix(7), struct ucred: process, user and group.
        return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
    elif sys.platform == "darwin":
        # sys/un.h and sys/ucred.h, LOCAL_PEERCRED and struct xucred: version, user.
        return int(struct.unpack("2I", connection.getsockopt(0, 1, 8))[1])
    else:
        return None


def is_loopback(host: str) -> bool:
    """Check whether a socket's host is a loopback address."""
    return host == "::1" or host.removeprefix("::ffff:").startswith("127.")


def _own_account() -> int:
    return 0 if sys.platform == "win32" else os.getuid()


# Linux: proc(5) and net/ipv4/tcp_ipv4.c. A line has the local and the remote address, the state, two queues, a timer,
# retransmissions, the uid, a timeout and the inode. An address is in hexadecimal 32-bit words in host byte order.
_LISTEN = "0A"
_ANY = ("0" * 8, "0" * 32)
_MAPPED = "0" * 16 + "FFFF0000"
_LOOPBACK_6 = "0" * 24 + "01000000"


def _linux_listeners(ports: Collection[int]) -> Iterator[tuple[int, int]]:
    tables = _tables()
    for port in ports:
        yield from ((port, uid) for address, uid in _listeners(tables, port) if _reaches_loopback(address))


def _tables() -> str:
    """Return the kernel's tables of TCP sockets."""
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
        # An inode of 0 means that no process has accepted the connection yet: the listener's account counts. If the
        # listener closes, the connection closes too, and only one process can listen on an address.
        return int(uid) if inode != "0" else _listener(tables, theirs)
    return None


def _listener(tables: str, theirs: Address) -> int | None:
    """Return the account listening on exactly this address, else on all addresses; None if ambiguous or unknown."""
    found = list(_listeners(tables, theirs[1]))
    for hosts in (_spellings(theirs[0]), _ANY):
        accounts = {uid for host, uid in found if host in hosts}
        if accounts:
            return accounts.pop() if len(accounts) == 1 else None
    return None


def _listeners(tables: str, port: int) -> Iterator[tuple[str, int]]:
    """Yield the address and account of each socket listening on a port."""
    for line in tables.splitlines():
        if f":{port:04X} " in line:
            _, local, _, state, _, _, _, uid, *_ = line.split()
            host, _, port_hex = local.partition(":")
            if state == _LISTEN and int(port_hex, 16) == port:
                yield host, int(uid)


def _spellings(host: str) -> tuple[str, ...]:
    """Return a host in the tables' notation; an IPv4 address may also be listed in the IPv6 table."""
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


# Other systems. A listener has one end, a connection two.
_Ends = tuple[Address, Address | None]


def _process_peer(ours: Address, theirs: Address) -> int | None:
    accounts: Mapping[_Ends, int | None] = {}
    for look in range(_LOOKS):
        if look:
            time.sleep(_LOOK_EVERY_S)
        accounts = _process_accounts((theirs[1],))
        if (connection := (_plain(theirs), _plain(ours))) in accounts:
            return accounts[connection]
    # Not accepted yet. A listener on this exact address takes precedence over one on all addresses.
    return accounts.get((_plain(theirs), None))


def _process_listeners(ports: Collection[int]) -> Iterator[tuple[int, int | None]]:
    for (local, remote), account in _process_accounts(ports).items():
        if remote is None and (is_loopback(local[0]) or local[0] in ("0.0.0.0", "::")):
            yield local[1], account


def _process_accounts(ports: Collection[int]) -> Mapping[_Ends, int | None]:
    """Return the accounts of the sockets on these ports; None if unknown or contradictory."""
    accounts: dict[_Ends, int | None] = {}
    for (local, remote), account in _all_sockets() if sys.platform == "win32" else _own_sockets():
        if local and local[1] in ports:
            ends = _plain(local), _plain(remote) if remote else None
            accounts[ends] = account if accounts.get(ends, account) == account else None
    return accounts


_Listed = tuple[tuple[Address | tuple[()], Address | tuple[()]], int | None]


def _own_sockets() -> Iterator[_Listed]:
    """Yield both ends and the account of each TCP socket of this user's processes."""
    import psutil

    for process in psutil.process_iter():
        try:
            if process.uids().effective == os.geteuid():
                for each in process.net_connections("tcp"):
                    if _is_used(each.raddr, each.status):
                        yield (each.laddr, each.raddr), _own_account()
        except psutil.Error:
            pass  # the process has ended, or may not be inspected


def _all_sockets() -> Iterator[_Listed]:
    """Yield both ends of every TCP socket; the account only for this user's processes."""
    import psutil

    user = psutil.Process().username()
    for each in psutil.net_connections("tcp"):
        if _is_used(each.raddr, each.status):
            yield (each.laddr, each.raddr), _own_account() if _user_of(each.pid) == user else None


def _is_used(remote: Address | tuple[()], status: str) -> bool:
    """Check whether a socket is connected or listening, not merely bound."""
    return bool(remote) or status == "LISTEN"


def _user_of(pid: int | None) -> str:
    """Return the name of a process's user, "" if unknown."""
    import psutil

    try:
        return psutil.Process(pid).username() if pid else ""
    except psutil.Error:
        return ""


def _plain(address: Address) -> Address:
    return address[0].removeprefix("::ffff:"), address[1]
