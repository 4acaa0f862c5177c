"""Where an address leads: scheme, host and port, read strictly; knows nothing of who may use it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a key is bound to. All three must be equal for it to be sent."""

    scheme: str
    host: str
    """Lower case, without the brackets of IPv6."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if DEFAULT_PORTS.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it can only be this machine; a name other than "localhost" is not looked up."""
        if self.host == "localhost":
            return True
        address = _ip(self.host)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return address.ipv4_mapped.is_loopback
        return address is not None and address.is_loopback


def origin_of(url: str) -> Origin:
    """Read the origin of an http or https address.

    Raises ValueError, with a clause that says what is wrong and shows nothing of `url`, where there is a user,
    a password, a query, a fragment, or any sign that parsers read differently.
    """
    # Parsers disagree about these: some cut them out, some end the host there. An address that two libraries
    # can read in two ways is refused. https://url.spec.whatwg.org/#concept-basic-url-parser
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("has blanks, backslashes or characters beyond ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError("is no address") from exc
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("does not begin with https:// or http://")
    if not parts.hostname or "%" in parts.netloc:
        raise ValueError("names no host")
    _refuse_extras(url, parts)
    return Origin(parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme])


def is_loopback(url: str) -> bool:
    """Whether an address can only be this machine; False for what is no address."""
    try:
        return origin_of(url).is_loopback
    except ValueError:
        return False


def _refuse_extras(url: str, parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise ValueError("holds a user name or a password")
    # An empty query or fragment leaves no trace in `parts`.
    if "?" in url or "#" in url:
        raise ValueError("has a query or a fragment")


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
