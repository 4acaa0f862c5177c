"""Finds a provider's API key in the environment, a command's output or the keyring.

A key in the keyring is bound to the origin it was entered for: if a provider's address changes, the key is not
sent to the new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from llm_lsp.cli.files.key_commands import KeyCommands
from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import is_loopback, origin_of
from llm_lsp.core.privacy.secret import GivenKey, Secret, clean_key
from llm_lsp.core.secrets.names import is_secret_variable
from llm_lsp.errors import AuthError, ConfigError

SERVICE = "llm-lsp"
# Seconds. A locked keyring prompts the user on screen while the server waits.
KEYRING_TIMEOUT_S = 10.0
# URLs without user info, query or long random part hold no secret, whatever their variable is called (AUTH_URL).
_OPEN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://(?!\S*[@?])(?!\S*[A-Za-z0-9]{20})\S*")
_ADDRESS_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")


class GivenKeys:
    """Keys that are held for this process's life and stored nowhere: those that an editor keeps, or one to be tested.

    A key is used only for the provider that it was given for, if it is one of the user's own file, and only at its
    origin.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], Secret] = {}

    def put(self, given: Sequence[GivenKey]) -> None:
        """Hold these keys as well; one that cannot be a key is left out."""
        for each in given:
            with contextlib.suppress(ConfigError):
                self._keys[each.provider, str(origin_of(each.address))] = clean_key(each.key.reveal())

    def find(self, config: ProviderConfig) -> Secret | None:
        """Return the key of a provider, or None."""
        return None if config.unvouched else self._keys.get((config.name, str(origin_of(config.base_url))))


async def find_key(
    config: ProviderConfig,
    given: GivenKeys | None = None,
    commands: KeyCommands | None = None,
    known: Secret | None = None,
) -> Secret | None:
    """Return the key from the variable, the command, those `given`, or the system's keyring; None if none is needed.

    `commands` holds the keys of commands, and `known` is the key that is in use until now.

    Raises AuthError if a remote provider's key is missing, ConfigError if its value cannot be a key.
    """
    try:
        if text := os.environ.get(config.api_key_env) if config.api_key_env else None:
            return clean_key(text)
        if config.api_key_command:
            return await (commands or KeyCommands()).key(config, known)
        if given and (held := given.find(config)) is not None:
            return held
        if is_loopback(config.base_url):
            # A local server needs a key only if its user set one, and then the settings name it.
            return None
        if (stored := await stored_key(config)) is not None:
            return stored
    except ConfigError as exc:
        raise ConfigError(f"{config.name}: {exc}") from exc
    if config.api_key_env:
        raise AuthError(
            f"{config.name} has no key: set the environment variable {config.api_key_env} or `api_key_command`, "
            f"or run `llm-lsp provider add {config.name}`"
        )
    return None


def secret_values(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of environment variables whose names suggest a secret, except paths and plain addresses.

    Of other variables that hold a URL (`DATABASE_URL`, `HTTPS_PROXY`), yield the password.

    Call it once at startup: it checks the file system for values that look like paths.
    """
    for name, value in environ.items():
        if is_secret_variable(name) and not _OPEN_ADDRESS.fullmatch(value) and not _is_path(value):
            yield value
        elif match := _ADDRESS_PASSWORD.search(value):
            yield match[1]
            if (decoded := unquote(match[1])) != match[1]:
                yield decoded


def describe_key(config: ProviderConfig) -> str:
    """Describe where the key would be looked for, without opening any store."""
    if config.api_key_env and os.environ.get(config.api_key_env):
        return f"variable {config.api_key_env}"
    if config.api_key_command:
        return f"command {config.api_key_command[0]}"
    if is_loopback(config.base_url):
        return "none needed"
    return f"keyring or variable {config.api_key_env}" if config.api_key_env else "keyring, if it has one"


def is_in_reach(config: ProviderConfig) -> bool:
    """Return whether a key is named by a variable or a command, or none is needed."""
    is_set = bool(config.api_key_env and os.environ.get(config.api_key_env))
    return is_set or bool(config.api_key_command) or is_loopback(config.base_url)


async def stored_key(config: ProviderConfig) -> Secret | None:
    """Return the keyring's key for this provider at its origin; None if there is none."""
    try:
        text = await asyncio.wait_for(asyncio.to_thread(_read_keyring, _user(config)), KEYRING_TIMEOUT_S)
    except TimeoutError as exc:
        raise AuthError(f"{config.name}: the keyring did not answer; unlock it and try again") from exc
    return clean_key(text) if text else None


def has_keyring() -> bool:
    """Check whether this system has a keyring that can store a key."""
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def store_key(config: ProviderConfig, key: Secret) -> None:
    """Store a key in the keyring, for this provider at its origin; raises ConfigError if that fails."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, _user(config), key.reveal())
    except KeyringError as exc:
        raise ConfigError(f"the keyring did not store the key: {type(exc).__name__}") from exc


def delete_key(config: ProviderConfig) -> bool:
    """Remove the key from the keyring; return False if there was none."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.delete_password(SERVICE, _user(config))
    except KeyringError:
        return False
    return True


def _is_path(value: str) -> bool:
    """Check whether a value is the path of an existing file: a secret may begin with a slash too."""
    try:
        return value.startswith(("/", "~", "./", "\\\\", "C:\\")) and os.path.exists(
            os.path.expanduser(value)
        )
    except (OSError, ValueError):
        return False


def _user(config: ProviderConfig) -> str:
    return f"{config.name} {origin_of(config.base_url)}"


def _read_keyring(user: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, user)
    except KeyringError:
        return None
