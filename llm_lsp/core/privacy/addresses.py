"""The origin of an address: scheme, host and port, parsed strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port. A key is bound to an origin, and is sent only if all three are equal."""

    scheme: str
    host: str
    """In lower case, without the brackets of IPv6."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if DEFAULT_PORTS.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it can only be this machine; names other than "localhost" are not resolved."""
        if self.host == "localhost":
            return True
        address = _ip(self.host)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return address.ipv4_mapped.is_loopback
        return address is not None and address.is_loopback


def origin_of(url: str) -> Origin:
    """Return the origin of an http or https address.

    Raises ValueError if it has a user, password, query or fragment, or anything that parsers read differently. The
    message is a clause that states the problem and contains nothing of `url`.
    """
    # Parsers disagree about these characters: some drop them, some end the host there. An address that two libraries
    # could read differently is refused. https://url.spec.whatwg.org/#concept-basic-url-parser
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("has blanks, backslashes or characters beyond ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError("is not an address") from exc
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("does not begin with https:// or http://")
    _refuse_extras(url, parts)
    host = _host_of(parts.netloc)
    return Origin(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port)


def is_loopback(url: str) -> bool:
    """Check whether an address can only be this machine; False if it is invalid."""
    try:
        return origin_of(url).is_loopback
    except ValueError:
        return False


def _refuse_extras(url: str, parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise ValueError("contains a user name or a password")
    # An empty query or fragment is not visible in `parts`.
    if "?" in url or "#" in url:
        raise ValueError("has a query or a fragment")


# A name or IPv4 address, or an IPv6 address in brackets. `urlsplit` ignores text after the brackets, as in
# `http://[::1].evil.invalid`, while another library might connect to that host.
_AUTHORITY = re.compile(r"(?P<name>[a-z0-9._-]+)|\[(?P<v6>[0-9a-f:.]+)\]", re.IGNORECASE)
_PORT = re.compile(r"(?::[1-9][0-9]{0,4})?")


def _host_of(authority: str) -> str:
    """Return the host in lower case without brackets; raises ValueError for anything unusual."""
    found = _AUTHORITY.match(authority)
    if found is None or not _PORT.fullmatch(authority, found.end()):
        raise ValueError("names no host, or more than a host and a port")
    if found["v6"] and not isinstance(_ip(found["v6"]), IPv6Address):
        raise ValueError("has no valid IPv6 address in its brackets")
    return found[0].strip("[]").lower()


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
