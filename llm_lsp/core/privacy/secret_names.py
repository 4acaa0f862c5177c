"""The names under which secrets are kept, in variables and in code."""

from __future__ import annotations

import re

# Parts that make a name a secret's wherever they stand in it, in small letters.
SECRET_PARTS = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "apikey",
    "private_key",
)
# Words that do, where they are a whole word of the name or its end: `DB_PASS` and `SSHPASS`, not `PASSENGERS`.
_WORD_ENDS = ("key", "keys", "pass", "pwd", "auth", "pat", "creds", "cred", "dsn", "jwt", "webhook", "bearer")
_WORD = re.compile(r"[a-z]+")
# Shells keep the current folder and the last one under names that look like a password's.
_FOLDERS = frozenset({"pwd", "oldpwd"})


def is_secret_variable(name: str) -> bool:
    """Return whether a variable of the environment holds a secret by its name."""
    lowered = name.lower()
    if lowered in _FOLDERS:
        return False
    return any(part in lowered for part in SECRET_PARTS) or any(
        word.endswith(_WORD_ENDS) for word in _WORD.findall(lowered)
    )
