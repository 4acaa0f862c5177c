"""Refuse a connection within this machine whose other end belongs to another account than it should.

When a server ends, any program can take its port. So each new connection is checked when it stands, before its first
byte is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import Origin, origin_of
from llm_lsp.errors import StrangerError
from llm_lsp.port_owners import Address, Owner, is_loopback, owner_of, peer_account

OURS: tuple[Owner, ...] = ("me",)
"""Owners of our own model server."""
UNVOUCHED: tuple[Owner, ...] = ("me", "system")
"""Owners of a server that its user did not name."""


class PeerCheck:
    """The account that a provider's server runs as: the first one seen, which may change its process only."""

    def __init__(
        self,
        name: str = "",
        allowed: Collection[Owner] = (),
        account_of: Callable[[Address, Address], int | None] = peer_account,
    ) -> None:
        """`name` is the provider's; `allowed` has the owners that may be used, all if it is empty."""
        self._name = name
        self._allowed = allowed
        self._account_of = account_of
        self._seen: list[int | None] = []
        """The account, once there was a connection; None if the system does not tell it."""

    async def check(self, ours: Address, theirs: Address) -> None:
        """Raise StrangerError if a connection to this machine's loopback leads to an account that it must not."""
        if is_loopback(theirs[0]):
            account = await asyncio.to_thread(self._account_of, ours, theirs)
            self.check_account(account, f"{theirs[0]}:{theirs[1]}")

    def check_account(self, account: int | None, host: str) -> None:
        """Raise StrangerError if what answers at an address must not run as this account."""
        owner = owner_of(account)
        if self._allowed and owner not in self._allowed:
            raise StrangerError(refusal(self._name, host, owner))
        self._seen = self._seen or [account]
        if account not in self._seen:
            raise StrangerError(
                f"{host} was taken over by another account of this machine, and nothing was sent to it: "
                f"start the server of {self._name} again, or the editor if you moved it yourself"
            )


class KnownPeers:
    """The checks of one process by provider; they outlive the providers, which new settings replace."""

    def __init__(self) -> None:
        self._checks: dict[tuple[str, Origin, bool], PeerCheck] = {}

    def check_for(self, config: ProviderConfig) -> PeerCheck:
        """Return the check of a provider's address."""
        key = config.name, origin_of(config.base_url), config.unvouched
        if key not in self._checks:
            self._checks[key] = PeerCheck(config.name, UNVOUCHED if config.unvouched else ())
        return self._checks[key]


def refusal(name: str, host: str, owner: Owner) -> str:
    """Write why a server that its user did not name is not used."""
    # No address in the command: it may come from a cloned repository, and a shell would read it.
    remedy = f"or vouch for it with `llm-lsp provider add {name}`"
    if owner == "other":
        return f"{host} of {name} is another user's server: start your own, {remedy}"
    return f"{name} is not vouched for, and no server at {host} is known to be yours: start it, {remedy}"
