"""Stores which workspace settings files the user trusts, each with the content it had then."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from llm_lsp.errors import ConfigError
from llm_lsp.system import write_private


class TrustedFiles:
    """A list of paths, each with the SHA-256 of the trusted content.

    Trust belongs to the content, not the name: a file that changes must be trusted again (CVE-2025-54136).
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def holds(self, file: Path, data: bytes) -> bool:
        """Check whether a file is trusted with exactly this content; an unreadable list trusts nothing."""
        return bool(self._digests) and self._digests.get(_name(file)) == _digest(data)

    @property
    def paths(self) -> tuple[str, ...]:
        """Return every file on the list, even if its content has changed since."""
        return tuple(self._digests)

    def add(self, file: Path, data: bytes) -> None:
        """Trust a file with this content; raises ConfigError if the list cannot be written."""
        self._save({**self._digests, _name(file): _digest(data)})

    def remove(self, file: Path) -> bool:
        """Stop trusting a file; return False if it was not trusted. Raises ConfigError if the list cannot be
        written.
        """
        kept = {name: digest for name, digest in self._digests.items() if name != _name(file)}
        if len(kept) == len(self._digests):
            return False
        self._save(kept)
        return True

    @cached_property
    def _digests(self) -> Mapping[str, str]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _save(self, digests: Mapping[str, str]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self._path, json.dumps(digests, indent=2).encode())
        except OSError as exc:
            raise ConfigError(f"{self._path} cannot be written: {exc.strerror}") from exc
        self.__dict__["_digests"] = digests


def _name(file: Path) -> str:
    # Not where the file itself links to: a cloned repository could contain a link to a trusted file.
    return os.path.join(os.path.realpath(file.parent), file.name)


def _digest(data: bytes) -> str:
    # Imported here: most folders have no settings file.
    from hashlib import sha256

    return sha256(data).hexdigest()
