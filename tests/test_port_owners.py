"""Whose a port and the other end of a connection are: by the kernel's tables, and by real processes."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from llm_lsp import port_owners
from llm_lsp.port_owners import Owner, listener_owner, owner_of, peer_account, socket_account
from tests.accounts import ME, NOBODY, root_only, serving_as

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux_only
@pytest.mark.parametrize(
    ("family", "address"),
    [
        pytest.param(socket.AF_INET, "127.0.0.1", id="loopback"),
        pytest.param(socket.AF_INET, "127.0.0.53", id="another loopback address"),
        pytest.param(socket.AF_INET, "0.0.0.0", id="any"),
        pytest.param(socket.AF_INET6, "::1", id="loopback 6"),
        pytest.param(socket.AF_INET6, "::", id="any 6"),
    ],
)
def test_my_listener_is_mine(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip("no such address here")
        listener.listen()
        assert listener_owner(listener.getsockname()[1]) == "me"


def table(*rows: tuple[str, str, int]) -> str:
    """Write /proc/net/tcp with (address:port, state, uid)."""
    head = "sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode\n"
    return head + "".join(
        f"0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid} 0 1\n"
        for local, state, uid in rows
    )


@linux_only
@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        pytest.param([("0100007F:1F90", "0A", 2001)], "other", id="another person"),
        pytest.param([("0100007F:1F90", "0A", 998)], "system", id="a system account"),
        pytest.param([("0100007F:1F90", "0A", 64000)], "system", id="a dynamic user of systemd"),
        pytest.param([("0100007F:1F90", "0A", 65534)], "other", id="nobody"),
        pytest.param([("0100007F:1F90", "01", 2001)], "unknown", id="a connection is no listener"),
        pytest.param([("0100007F:1F91", "0A", 2001)], "unknown", id="another port"),
        pytest.param([("0101A8C0:1F90", "0A", 2001)], "unknown", id="another interface"),
        pytest.param(
            [("0100007F:1F90", "0A", 1001), ("00000000:1F90", "0A", 2001)], "other", id="the least trusted"
        ),
        pytest.param([("0000000000000000FFFF00000100007F:1F90", "0A", 1001)], "me", id="mapped"),
    ],
)
def test_a_listener_is_judged_by_its_account(
    rows: list[tuple[str, str, int]], owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1001)
    monkeypatch.setattr(Path, "read_text", lambda self, **_: table(*rows) if self.name == "tcp" else table())
    assert listener_owner(0x1F90) == owner


def account_behind(connection: socket.socket) -> int | None:
    return peer_account(connection.getsockname()[:2], connection.getpeername()[:2])


@linux_only
@pytest.mark.parametrize(
    ("listens_on", "connects_to"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", id="IPv4"),
        pytest.param("0.0.0.0", "127.0.0.1", id="all addresses"),
        pytest.param("127.0.0.1", "::ffff:127.0.0.1", id="IPv4 as IPv6"),
        pytest.param("::", "127.0.0.1", id="all addresses of both"),
        pytest.param("::1", "::1", id="IPv6"),
        pytest.param("::", "::1", id="all addresses of IPv6"),
    ],
)
@pytest.mark.parametrize(
    "uid", [pytest.param(ME, id="mine"), pytest.param(NOBODY, id="other", marks=root_only)]
)
def test_the_account_behind_a_connection_is_known_before_and_after_it_is_accepted(
    uid: int, listens_on: str, connects_to: str
) -> None:
    with ExitStack() as opened:
        server = opened.enter_context(serving_as(uid, listens_on))
        connection = opened.enter_context(socket.create_connection((connects_to, server.port), 5))
        assert account_behind(connection) == uid
        server.accept()
        assert account_behind(connection) == uid


@root_only
def test_a_port_that_another_account_took_over_is_told() -> None:
    with serving_as(0) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        assert owner_of(account_behind(connection)) == "me"
    where = "127.0.0.1", server.port
    with serving_as(NOBODY, *where), socket.create_connection(where) as connection:
        assert owner_of(account_behind(connection)) == "other"


def entry(local: str, remote: str, state: str, uid: int, inode: int) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:5d} 0 {inode} 1 x\n"


OURS, THEIRS = ("127.0.0.1", 0xD431), ("127.0.0.1", 0x1F90)
HERE, THERE, NOTHING = "0100007F:D431", "0100007F:1F90", "00000000:0000"


@pytest.mark.skipif(sys.byteorder != "little", reason="addresses as a little-endian machine writes them")
@pytest.mark.parametrize(
    ("lines", "account"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([entry(THERE, HERE, "01", 1001, 7)], 1001, id="accepted"),
        pytest.param([entry(HERE, THERE, "01", 1001, 7)], None, id="our own end"),
        pytest.param([entry(THERE, "0100007F:D432", "01", 1001, 7)], None, id="another connection"),
        pytest.param([entry(THERE, HERE, "01", 0, 0)], None, id="not accepted and no listener"),
        pytest.param(
            [entry(THERE, NOTHING, "0A", 1001, 7), entry(THERE, HERE, "01", 0, 0)], 1001, id="not accepted"
        ),
        pytest.param(
            [entry(THERE, NOTHING, "0A", 1001, 7), entry(THERE, HERE, "01", 2001, 8)],
            2001,
            id="accepted before the listener changed hands",
        ),
        pytest.param(
            [
                entry("00000000:1F90", NOTHING, "0A", 1001, 7),
                entry(THERE, NOTHING, "0A", 2001, 8),
                entry(THERE, HERE, "01", 0, 0),
            ],
            2001,
            id="the listener on the very address is first",
        ),
        pytest.param(
            [
                entry("00000000:1F90", NOTHING, "0A", 1001, 7),
                entry("0" * 32 + ":1F90", "0" * 32 + ":0000", "0A", 2001, 8),
                entry(THERE, HERE, "01", 0, 0),
            ],
            None,
            id="two listeners that cannot be told apart",
        ),
    ],
)
def test_the_kernels_tables_are_read(lines: list[str], account: int | None) -> None:
    assert port_owners._linux_peer("".join(lines), OURS, THEIRS) == account


SOURCES = ("_own_sockets", "_all_sockets")
SERVER, CLIENT, ELSEWHERE = ("127.0.0.1", 8080), ("127.0.0.1", 54321), ("::1", 8080)


@pytest.mark.parametrize(
    ("sockets", "is_mine"),
    [
        pytest.param([((SERVER, CLIENT), 0)], True, id="accepted"),
        pytest.param([((SERVER, ()), 0)], True, id="listening on the very address"),
        pytest.param([((SERVER, CLIENT), None)], False, id="accepted by another"),
        pytest.param(
            [((SERVER, ()), 0), ((SERVER, CLIENT), None)], False, id="listening, accepted by another"
        ),
        pytest.param([((SERVER, ()), 0), ((SERVER, ()), None)], False, id="two that listen on one address"),
        pytest.param(
            [((("0.0.0.0", 8080), ()), 0)], False, id="listening on all addresses: another may be before it"
        ),
        pytest.param([((CLIENT, SERVER), 0)], False, id="our own end"),
        pytest.param([((ELSEWHERE, ()), 0)], False, id="another address"),
        pytest.param([((("::ffff:127.0.0.1", 8080), ("::ffff:127.0.0.1", 54321)), 0)], True, id="mapped"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_without_the_kernels_tables_only_a_server_of_ones_own_is_known(
    sockets: list[object], is_mine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_owners, "_LOOK_EVERY_S", 0)
    for source in SOURCES:
        monkeypatch.setattr(port_owners, source, lambda: sockets)
    assert port_owners._process_peer(CLIENT, SERVER) == (0 if is_mine else None)


@pytest.mark.parametrize(
    ("sockets", "owner"),
    [
        pytest.param([(SERVER, (), True)], "me", id="mine"),
        pytest.param([(("0.0.0.0", 8080), (), True)], "me", id="mine on all addresses"),
        pytest.param([(("::", 8080), (), True)], "me", id="mine on all addresses of both"),
        pytest.param([(SERVER, (), False)], "unknown", id="of an account that cannot be told"),
        pytest.param([(SERVER, (), True), (ELSEWHERE, (), False)], "unknown", id="the least trusted"),
        pytest.param([(("192.168.1.1", 8080), (), True)], "unknown", id="another interface"),
        pytest.param([(("127.0.0.1", 8081), (), True)], "unknown", id="another port"),
        pytest.param([(SERVER, CLIENT, True)], "unknown", id="a connection is no listener"),
        pytest.param([], "unknown", id="nothing"),
    ],
)
def test_without_the_kernels_tables_a_listener_is_judged_by_its_process(
    sockets: list[tuple[object, object, bool]], owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = port_owners._own_account()
    listed = [((local, remote), me if is_mine else None) for local, remote, is_mine in sockets]
    for source in SOURCES:
        monkeypatch.setattr(port_owners, source, lambda: listed)
    monkeypatch.setattr(port_owners, "_linux_listeners", port_owners._process_listeners)
    assert listener_owner(8080) == owner


@pytest.fixture(params=SOURCES, ids=["macOS", "Windows"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at this machine's real sockets as on another system: psutil lists them here as well."""
    monkeypatch.setattr(port_owners, "_LOOK_EVERY_S", 0)
    monkeypatch.setattr(port_owners, "_own_sockets", getattr(port_owners, request.param))
    monkeypatch.setattr(port_owners, "_linux_listeners", port_owners._process_listeners)


@linux_only
@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_a_listener_of_ones_own_is_found_by_its_process(address: str) -> None:
    with serving_as(ME, address) as server:
        assert listener_owner(server.port) == "me"


@linux_only
@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "uid", [pytest.param(ME, id="mine"), pytest.param(NOBODY, id="other", marks=root_only)]
)
def test_the_account_behind_a_connection_is_known_by_its_process(uid: int) -> None:
    with serving_as(uid) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        server.accept()
        account = port_owners._process_peer(connection.getsockname(), connection.getpeername())
        assert account == (uid if uid == ME else None)
        assert listener_owner(server.port) == ("me" if uid == ME else "unknown")


@pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
def test_a_unix_socket_tells_its_account(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
        assert socket_account(client) == os.getuid()


@pytest.mark.parametrize(
    ("account", "owner"),
    [(None, "unknown"), (998, "system"), (64000, "system"), (NOBODY, "other"), (2001, "other")],
)
def test_an_account_has_an_owner(account: int | None, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1001)
    assert owner_of(account) == owner
    assert owner_of(1001) == "me"
