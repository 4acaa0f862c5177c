"""Extracts the request id and document URIs from the first and last bytes of a message that is too long."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# Bytes kept at each end. Clients write the id before the params, and a document's URI next to its text; together they
# take about 200 bytes.
KEPT_BYTES = 4096

_STRING = rb'"(?:[^"\\]|\\.)*"'
_SCALAR_MEMBER = re.compile(rb'\s*"(jsonrpc|id|method)"\s*:\s*(' + _STRING + rb"|-?\d+)\s*,")
_RESPONSE_KEY = re.compile(rb'\s*"(?:result|error)"\s*:')
# Cannot match inside a JSON string, in which the quotes are escaped.
_URI_MEMBER = re.compile(rb'"uri"\s*:\s*(' + _STRING + rb")")


@dataclass(frozen=True, slots=True)
class OversizedMessage:
    """Both ends of a message's body, and its length in bytes."""

    length: int
    head: bytes
    tail: bytes

    def request_id(self) -> int | str | None:
        """Return the id of a request; None for other messages, and if no id is found.

        Finds an id that precedes the first non-scalar member, which is where clients put it.
        """
        position = self.head.find(b"{") + 1
        found: bytes | None = None
        while member := _SCALAR_MEMBER.match(self.head, position):
            position = member.end()
            if member[1] == b"id":
                found = member[2]
        if found is None or _RESPONSE_KEY.match(self.head, position):
            return None
        msg_id = _decode(found)
        return msg_id if isinstance(msg_id, int | str) else None

    def uris(self) -> frozenset[str]:
        """Return every URI under the key "uri" in either end."""
        named = (*_URI_MEMBER.findall(self.head), *_URI_MEMBER.findall(self.tail))
        return frozenset(uri for uri in map(_decode, named) if isinstance(uri, str))


def _decode(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except ValueError:
        return None
    return value
