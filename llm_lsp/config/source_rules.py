"""The trust rules: which source may set what.

The rules protect against a cloned repository. Its author can put settings into two sources: the workspace file
`.llm-lsp.toml`, and the editor's settings, by way of a folder such as `.vscode`. Neither may send code or a key to an
address of the author's choice, run a command, or make the user pay for more calls. So nothing leaves this machine
until a source that only the user can write has enabled a provider.

Every source is a `SettingsSource`. `rule_for` looks up one of three rules for a source and a setting:

- FREE: the value replaces the earlier one.
- TIGHTEN: the value is combined with the earlier one by the function in STRICTER, which returns the stricter of both:
  the longer debounce, the lower limit, the intersection of two lists of languages, the union of two exclude lists.
- NEVER: the value is ignored and reported.

Sources, from the most to the least trusted:

- User file, command line and the machine's defaults file, which only the administrator can write: FREE for
  everything. The defaults are merged first, so that the user's file overrides them.
- The user's own settings in VS Code, which our extension separates from the workspace's: like the user file, but for
  where code is sent, keys and `[privacy]`, which follow the editor's rules.
- The editor (`initializationOptions`, settings, commands), and a workspace file that the user trusts: may choose among
  enabled providers, or name a loopback server without a key; may set what is harmless and TIGHTEN the rest.
- A workspace file that is not trusted, and the machine's policy file: only TIGHTEN. The policy is merged last, so
  no other source can loosen it.

`tame` removes dangerous values from settings that are otherwise harmless, such as a glob with `!` that would cancel an
exclusion. ADR 5 records the decision.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from llm_lsp.config.parse import Path
from llm_lsp.core.privacy.addresses import is_loopback, origin_of
from llm_lsp.core.privacy.ollama_cloud import is_cloud_tag


class SettingsSource(Enum):
    """Where settings come from, in merge order: a later source wins, as far as its rules allow."""

    DEFAULTS_FILE = "defaults file"
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
        """Whether only this machine's user or administrator can have written it."""
        return self in (
            SettingsSource.DEFAULTS_FILE,
            SettingsSource.USER_FILE,
            SettingsSource.COMMAND_LINE,
        )

    @property
    def is_editor(self) -> bool:
        """Whether the editor sent it, which may have read it in a cloned repository."""
        return self in (
            SettingsSource.EDITOR_USER,
            SettingsSource.INITIALIZATION,
            SettingsSource.EDITOR,
            SettingsSource.CHOICE,
        )

    @property
    def is_file(self) -> bool:
        """Whether it is a file that may change while the server runs."""
        return self.value.endswith(" file")

    @property
    def may_choose(self) -> bool:
        """Whether it may choose among enabled providers, or name a server on this machine."""
        return self.is_editor or self is SettingsSource.TRUSTED_FILE

    @property
    def is_bounded(self) -> bool:
        """Whether its size is limited, since it may come from a cloned repository."""
        return not self.is_user and self is not SettingsSource.POLICY_FILE


class SourceRule(Enum):
    """What a source may do with a setting."""

    FREE = "set"
    TIGHTEN = "make stricter"
    NEVER = "not touch"


Meet = Callable[[Any, Any], object]
"""Returns the stricter of two values, or what both allow: (current, proposed) -> result."""

# Not the identifier of any language: the result for two lists with no language in common.
NO_LANGUAGE = ("none",)
# Not the name of any machine (RFC 2606, section 2): the result for two lists with no origin in common.
NO_ORIGIN = ("https://none.invalid",)

# The longest wait of "auto", see `completion.debounce_ms`.
LONGEST_AUTO_DEBOUNCE_MS = 60


def both(current: bool, proposed: bool) -> bool:
    """Return whether both enable a feature."""
    return current and proposed


def either(current: bool, proposed: bool) -> bool:
    """Return whether either enables a protection."""
    return current or proposed


def manual_if_either(current: str, proposed: str) -> str:
    """Return "manual" if either says so."""
    return "manual" if "manual" in (current, proposed) else "auto"


def shared_languages(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the languages in both lists; an empty list means all."""
    if not current or not proposed:
        return current or proposed
    return tuple(language for language in current if language in proposed) or NO_LANGUAGE


def shared_sources(current: tuple[str, ...] | str, proposed: tuple[str, ...] | str) -> tuple[str, ...] | str:
    """Return the sources in both lists; an empty list means none, "auto" may be all of them.

    So another source's list replaces "auto", even if "auto" would use fewer sources for this model. That is
    safe: the added context comes from the same folder, goes to the same provider, and takes no more of the
    prompt.
    """
    if isinstance(current, str) or isinstance(proposed, str):
        return current if isinstance(proposed, str) else proposed
    return tuple(source for source in current if source in proposed)


def longer_debounce(current: int | str, proposed: int | str) -> int | str:
    """Return the longer debounce."""
    return max(current, proposed, key=lambda ms: LONGEST_AUTO_DEBOUNCE_MS if ms == "auto" else ms)


def shared_origins(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins in both lists; an empty list means all."""
    if not current or not proposed:
        return current or proposed
    theirs = {origin_of(url) for url in proposed}
    return tuple(url for url in current if origin_of(url) in theirs) or NO_ORIGIN


def joined(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the globs of both lists."""
    return current + tuple(glob for glob in proposed if glob not in current)


def all_gates(current: tuple[str, ...], proposed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the gates of both lists."""
    return current + tuple(gate for gate in proposed if gate not in current)


def lower_limit(current: float | str, proposed: float | str) -> float | str:
    """Return the lower limit; "none" means no limit."""
    return min(current, proposed, key=lambda limit: float("inf") if isinstance(limit, str) else limit)


def fewer_edits(current: bool | str, proposed: bool | str) -> bool | str:
    """Return the setting that offers fewer next edits."""
    return min(current, proposed, key=lambda value: 1 if value == "auto" else 2 * bool(value))


def automatic_if_either(current: str, proposed: str) -> str:
    """Return "auto" if either is: another provider would be called, and billed, that the user did not name."""
    return "auto" if "auto" in (current, proposed) else current


# Everything that a workspace or policy file may set, and what the editor may set if it is not free to.
STRICTER: Mapping[Path, Meet] = {
    ("enabled",): both,
    ("completion", "trigger"): manual_if_either,
    ("completion", "languages"): shared_languages,
    ("completion", "debounce_ms"): longer_debounce,
    ("completion", "gates"): all_gates,
    ("completion", "calls_per_minute"): min,
    ("edits", "enabled"): fewer_edits,
    ("edits", "provider"): automatic_if_either,
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

# What the editor may set for a provider that the user enabled. None of these decides where code is sent, with which
# key, to which model, how much of it, or at what cost. `stream` is missing: an unstreamed answer is billed to its end.
HARMLESS = frozenset({"fim", "temperature", "timeout_s"})

# What the editor may not set for a loopback provider that it defines: a key belongs to the origin the user entered it
# for, and a header or body field can make the server forward the request, as `{"model": "x:cloud"}` does.
USERS_ALONE = frozenset(
    {
        "api_key_env",
        "api_key_command",
        "headers",
        "extra_body",
        "affinity_field",
        "affinity_header",
        "allow_http",
        "ca_file",
    }
)


AUDIT_FILE: Path = ("audit", "file")
"""The policy names it, although there is no stricter and no looser file; no other source but the user may."""


def general(path: Path) -> Path:
    """Replace a provider's name with "*", as in the tables of this module."""
    return ("providers", "*", *path[2:]) if path[0] == "providers" else path


def rule_for(source: SettingsSource, path: Path, *, is_users: bool) -> SourceRule:
    """Return what a source may do with a setting; `is_users` means it belongs to a provider that the user
    enabled.
    """
    if source.is_user or (path == AUDIT_FILE and source is SettingsSource.POLICY_FILE):
        return SourceRule.FREE
    if not source.may_choose:
        return SourceRule.TIGHTEN if general(path) in STRICTER else SourceRule.NEVER
    if path[0] == "providers":
        return _editor_rule(path, is_users)
    if source is SettingsSource.EDITOR_USER and path[0] not in ("privacy", "audit"):
        return SourceRule.FREE
    if path in STRICTER:
        return SourceRule.TIGHTEN
    # `chat` too: its texts are part of every call, and billed with it.
    is_free = path[0] not in ("enabled", "chat", "context", "privacy", "usage", "audit", "budget")
    return SourceRule.FREE if is_free else SourceRule.NEVER


def tame(source: SettingsSource, path: Path, value: Any) -> tuple[object, str]:
    """Remove dangerous values from a setting that is otherwise harmless.

    Returns the usable value (None if there is none), and the fault ("" if there is none).
    """
    if source.is_user:
        return value, ""
    if path == ("privacy", "exclude") and any(glob.startswith("!") for glob in value):
        kept = tuple(glob for glob in value if not glob.startswith("!"))
        return kept, "may not re-include excluded files"
    if path == ("local", "model") and re.search(r"[/\\]|\.gguf$", value, re.IGNORECASE):
        return None, "may not be a file path here"
    if general(path) == ("providers", "*", "model") and is_cloud_tag(value):
        return None, "may not be a cloud-hosted model here"
    return value, ""


def may_name_address(source: SettingsSource, url: str) -> bool:
    """Check whether a source may name an address that the user has not enabled."""
    return source.is_user or (source.may_choose and is_loopback(url))


def _editor_rule(path: Path, is_users: bool) -> SourceRule:
    setting = path[-1]
    if not is_users:
        return SourceRule.NEVER if setting in USERS_ALONE else SourceRule.FREE
    if setting in HARMLESS:
        return SourceRule.FREE
    return SourceRule.TIGHTEN if general(path) in STRICTER else SourceRule.NEVER
