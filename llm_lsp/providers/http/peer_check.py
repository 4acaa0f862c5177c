"""Refuses a connection within this machine if the server runs as an unexpected account.

When a server ends, any program can take over its port. So every new connection is checked before anything is
sent on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import Origin, origin_of
from llm_lsp.errors import StrangerError
from llm_lsp.port_owners import Address, Owner, is_loopback, owner_of, peer_account

OURS: tuple[Owner, ...] = ("me",)
"""Allowed owners of our own model server."""
UNVOUCHED: tuple[Owner, ...] = ("me", "system")
"""Allowed owners of a server that the user did not name."""


class PeerCheck:
    """The account of a provider's server: the first one seen; its process may change, its account may not."""

    def __init__(
        self,
        name: str = "",
        allowed: Collection[Owner] = (),
        account_of: Callable[[Address, Address], int | None] = peer_account,
    ) -> None:
        """`name` is the provider's; `allowed` are the permitted owners, all if empty."""
        self._name = name
        self._allowed = allowed
        self._account_of = account_of
        self._seen: list[int | None] = []
        """The account, after the first connection; None if the system does not report it."""

    async def check(self, ours: Address, theirs: Address) -> None:
        """Raise StrangerError if a connection to the loopback interface leads to a forbidden account."""
        if is_loopback(theirs[0]):
            account = await asyncio.to_thread(self._account_of, ours, theirs)
            self.check_account(account, f"{theirs[0]}:{theirs[1]}")

    def check_account(self, account: int | None, host: str) -> None:
        """Raise StrangerError if the server at an address must not run as this account."""
        owner = owner_of(account)
        if self._allowed and owner not in self._allowed:
            raise StrangerError(refusal(self._name, host, owner))
        self._seen = self._seen or [account]
        if account not in self._seen:
            raise StrangerError(
                f"another account of this machine has taken over {host}, so nothing was sent to it: "
                f"restart the server of {self._name}, or your editor if you moved the server yourself"
            )


class KnownPeers:
    """The checks of one process, by provider; kept when new settings replace the providers."""

    def __init__(self) -> None:
        self._checks: dict[tuple[str, Origin, bool], PeerCheck] = {}

    def check_for(self, config: ProviderConfig) -> PeerCheck:
        """Return the check for a provider's address."""
        key = config.name, origin_of(config.base_url), config.unvouched
        if key not in self._checks:
            self._checks[key] = PeerCheck(config.name, UNVOUCHED if config.unvouched else ())
        return self._checks[key]


def refusal(name: str, host: str, owner: Owner) -> str:
    """Explain why a server that the user did not name is not used."""
    # Without the address: it may come from a cloned repository, and the user might paste the command into a shell.
    remedy = f"or allow it with `llm-lsp provider add {name}`"
    if owner == "other":
        return f"the server of {name} at {host} belongs to another user: start your own, {remedy}"
    return f"{name} is not allowed, and no server at {host} is known to be yours: start it, {remedy}"
