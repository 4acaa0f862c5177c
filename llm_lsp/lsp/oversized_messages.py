"""What the first and last bytes of a message that is too long tell: its request id, and the documents that it names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# Bytes that are kept at each end. Clients write the id before the params, and a document's URI before or after its
# text; all of that is some 200 bytes.
KEPT_BYTES = 4096

_STRING = rb'"(?:[^"\\]|\\.)*"'
_SCALAR_MEMBER = re.compile(rb'\s*"(jsonrpc|id|method)"\s*:\s*(' + _STRING + rb"|-?\d+)\s*,")
_RESPONSE_KEY = re.compile(rb'\s*"(?:result|error)"\s*:')
# Nothing inside a string looks like this: the quotes have backslashes before them there.
_URI_MEMBER = re.compile(rb'"uri"\s*:\s*(' + _STRING + rb")")


@dataclass(frozen=True, slots=True)
class OversizedMessage:
    """Both ends of a message's body, and its length in bytes."""

    length: int
    head: bytes
    tail: bytes

    def request_id(self) -> int | str | None:
        """Return the id of the request; None for a response, a notification, and an id that is not found.

        Seen is an id in front of the first member that is no scalar, which is where clients put it.
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
        """Return every URI that either end holds under the key "uri"."""
        named = (*_URI_MEMBER.findall(self.head), *_URI_MEMBER.findall(self.tail))
        return frozenset(uri for uri in map(_decode, named) if isinstance(uri, str))


def _decode(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except ValueError:
        return None
    return value
