"""Which source may set what: a rule for each source and setting.

Nothing leaves this machine until its user says so. The user's own file and command line may say everything.
The editor's settings can come from a cloned repository's editor folder, a workspace file from the repository
itself: so they choose among what the user enabled, or tighten, and make calls that are paid only rarer. What our own
extension for VS Code read in its user's settings counts as said by the user, but for addresses, keys and privacy. A workspace file that its user trusts, as it is
now, may do what the editor may. See docs/adr/0005.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from llm_lsp.config.parse import Path
from llm_lsp.core.privacy.addresses import is_loopback, origin_of
from llm_lsp.core.privacy.ollama_cloud import is_cloud_tag


class SettingsSource(Enum):
    """Where settings come from, in the order in which they are merged: a later one wins, as far as it may."""

    USER_FILE = "user file"
    EDITOR_USER = "editor's user settings"
    WORKSPACE_FILE = "workspace file"
    TRUSTED_FILE = "trusted workspace file"
    INITIALIZATION = "initializationOptions"
    EDITOR = "editor settings"
    CHOICE = "select command"
    COMMAND_LINE = "command line"
    POLICY_FILE = "policy file"

    @property
    def is_user(self) -> bool:
        """Whether only this machine's user can have written it."""
        return self in (SettingsSource.USER_FILE, SettingsSource.COMMAND_LINE)

    @property
    def is_editor(self) -> bool:
        """Whether it came from the editor, which may have read it in a cloned repository."""
        return self in (
            SettingsSource.EDITOR_USER,
            SettingsSource.INITIALIZATION,
            SettingsSource.EDITOR,
            SettingsSource.CHOICE,
        )

    @property
    def is_file(self) -> bool:
        """Whether it is a file that may change while a server runs."""
        return self.value.endswith(" file")

    @property
    def may_choose(self) -> bool:
        """Whether it may choose among what the user enabled, or name a server on this machine."""
        return self.is_editor or self is SettingsSource.TRUSTED_FILE

    @property
    def is_bounded(self) -> bool:
        """Whether it may come from a cloned repository, which may make it too large to be read."""
        return not self.is_user and self is not SettingsSource.POLICY_FILE


class SourceRule(Enum):
    """What a source may do with a setting."""

    FREE = "set"
    TIGHTEN = "make stricter"
    NEVER = "not touch"


Meet = Callable[[Any, Any], object]
"""Gives the stricter of two values, or what both allow: (current, proposed) -> result."""

# No language has this identifier: what two lists without a common language allow.
NO_LANGUAGE = ("none",)
# No machine has this name (RFC 2606, section 2): what two lists without a common origin allow.
NO_ORIGIN = ("https://none.invalid",)

# "auto" waits at most this long, see `completion.debounce_ms`.
LONGEST_AUTO_DEBOUNCE_MS = 60


def both(current: bool, proposed: bool) -> bool:
    """Keep a switch on only where both say so."""
    return current and proposed


def either(current: bool, proposed: bool) -> bool:
    """Keep a protection on where one says so."""
    return current or proposed


def manual_if_either(current: str, proposed: str) -> str:
    """Ask only by hand where one says so."""
    return "manual" if "manual" in (current, proposed) else "auto"


def shared_languages(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the languages in both lists; an empty list stands for all."""
    if not current or not proposed:
        return current or proposed
    return tuple(language for language in current if language in proposed) or NO_LANGUAGE


def shared_sources(current: tuple[str, ...] | str, proposed: tuple[str, ...] | str) -> tuple[str, ...] | str:
    """Keep the sources in both lists; an empty list stands for none, and "auto" may be all of them.

    So a stranger's list takes the place of "auto", also for a model that would get less: what it adds comes from the
    same folder, goes to the same provider, and takes no more of the prompt.
    """
    if isinstance(current, str) or isinstance(proposed, str):
        return current if isinstance(proposed, str) else proposed
    return tuple(source for source in current if source in proposed)


def longer_debounce(current: int | str, proposed: int | str) -> int | str:
    """Wait as long as the more patient one says."""
    return max(current, proposed, key=lambda ms: LONGEST_AUTO_DEBOUNCE_MS if ms == "auto" else ms)


def shared_origins(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the origins in both lists; an empty list stands for all."""
    if not current or not proposed:
        return current or proposed
    theirs = {origin_of(url) for url in proposed}
    return tuple(url for url in current if origin_of(url) in theirs) or NO_ORIGIN


def joined(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Exclude what either list excludes."""
    return current + tuple(glob for glob in proposed if glob not in current)


def all_gates(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Ask nowhere where either says so."""
    return current + tuple(gate for gate in proposed if gate not in current)


def lower_limit(current: float | str, proposed: float | str) -> float | str:
    """Spend no more than either says; "none" is no limit."""
    return min(current, proposed, key=lambda limit: float("inf") if isinstance(limit, str) else limit)


# The whole of what a workspace file and a policy file may touch, and an editor where it is not free.
STRICTER: Mapping[Path, Meet] = {
    ("enabled",): both,
    ("completion", "trigger"): manual_if_either,
    ("completion", "languages"): shared_languages,
    ("completion", "debounce_ms"): longer_debounce,
    ("completion", "gates"): all_gates,
    ("completion", "calls_per_minute"): min,
    ("context", "sources"): shared_sources,
    ("context", "share"): min,
    ("privacy", "exclude"): joined,
    ("privacy", "exclude_defaults"): either,
    ("privacy", "ignore_files"): either,
    ("privacy", "redact_secrets"): either,
    ("privacy", "remote"): both,
    ("privacy", "allowed_origins"): shared_origins,
    ("providers", "*", "max_tokens"): min,
    ("usage", "save"): both,
    ("budget", "per_day"): lower_limit,
    ("budget", "per_month"): lower_limit,
    ("budget", "tokens_per_day"): lower_limit,
    ("budget", "tokens_per_month"): lower_limit,
    ("budget", "warn_at"): min,
}

# Of a provider that the user enabled, the editor may set these: none of them says where code is sent, with
# which key, by which model, how much of it, or at what cost. An answer that is not streamed is paid to its end.
HARMLESS = frozenset({"fim", "temperature", "timeout_s"})

# Of a loopback provider that the editor names, these are refused: a key is for the origin that the user gave it,
# and a header or a field of the body can send the question on, as `{"model": "x:cloud"}` does.
USERS_ALONE = frozenset({"api_key_env", "api_key_command", "headers", "extra_body", "allow_http", "ca_file"})


def general(path: Path) -> Path:
    """Put "*" for a provider's name, as the tables here have it."""
    return ("providers", "*", *path[2:]) if path[0] == "providers" else path


def rule_for(source: SettingsSource, path: Path, *, is_users: bool) -> SourceRule:
    """Return what a source may do with a setting; `is_users`: it belongs to a provider that the user enabled."""
    if source.is_user:
        return SourceRule.FREE
    if not source.may_choose:
        return SourceRule.TIGHTEN if general(path) in STRICTER else SourceRule.NEVER
    if path[0] == "providers":
        return _editor_rule(path, is_users)
    if source is SettingsSource.EDITOR_USER and path[0] != "privacy":
        return SourceRule.FREE
    if path in STRICTER:
        return SourceRule.TIGHTEN
    # What a dialogue is told goes with each of its calls, and is paid with it.
    is_free = path[0] not in ("enabled", "chat", "context", "privacy", "usage", "budget")
    return SourceRule.FREE if is_free else SourceRule.NEVER


def tame(source: SettingsSource, path: Path, value: Any) -> tuple[object, str]:
    """Return a value without what is dangerous in it, for a setting that is harmless as such.

    Gives what may be used of it (None: nothing), and what is wrong ("": nothing).
    """
    if source.is_user:
        return value, ""
    if path == ("privacy", "exclude") and any(glob.startswith("!") for glob in value):
        kept = tuple(glob for glob in value if not glob.startswith("!"))
        return kept, "may not take files back from the excluded ones"
    if path == ("local", "model") and re.search(r"[/\\]|\.gguf$", value, re.IGNORECASE):
        return None, "may not be a file's path here"
    if general(path) == ("providers", "*", "model") and is_cloud_tag(value):
        return None, "may not be a model that runs in a cloud here"
    return value, ""


def may_name_address(source: SettingsSource, url: str) -> bool:
    """Whether a source may name an address that the user did not enable."""
    return source.is_user or (source.may_choose and is_loopback(url))


def _editor_rule(path: Path, is_users: bool) -> SourceRule:
    setting = path[-1]
    if not is_users:
        return SourceRule.NEVER if setting in USERS_ALONE else SourceRule.FREE
    if setting in HARMLESS:
        return SourceRule.FREE
    return SourceRule.TIGHTEN if general(path) in STRICTER else SourceRule.NEVER
