"""Merges checked layers of settings into one Config, following the rules in `source_rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from typing import Any

from llm_lsp.config.parse import HINTED_FAULTS, NAME, NO_KEYS, UNVOUCHED, Path, dotted, is_required, nearest
from llm_lsp.config.settings import AUTO, LOCAL, Config, Problem, ProviderConfig
from llm_lsp.config.source_rules import (
    STRICTER,
    SettingsSource,
    SourceRule,
    general,
    joined,
    may_name_address,
    rule_for,
    tame,
)
from llm_lsp.config.value_types import section_of
from llm_lsp.core.privacy.addresses import origin_of

PROVIDERS = "providers"
CHOICE: Path = ("provider",)
EXCLUDE: Path = ("privacy", "exclude")
REMOTE: Path = ("privacy", "remote")
ALLOWED: Path = ("privacy", "allowed_origins")
ROUTES: Path = ("routes",)
EDITS: Path = ("edits", "provider")
FALLBACK = "fallback"
# A key belongs to the origin it was entered for, so a preset's key settings apply only to the preset's own origin.
KEY_FIELDS = ("api_key_env", "api_key_command")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and the layer that set it."""

    value: Any
    source: SettingsSource
    label: str


@dataclass(slots=True)
class Merge:
    """Merges layers in order and builds the result; used for a single `resolve`."""

    presets: Mapping[str, ProviderConfig]
    settings: dict[Path, Setting] = field(default_factory=dict)
    choices: list[Setting] = field(default_factory=list)
    """Every value of `provider`, in order. Evaluated last: a later layer may define the provider an earlier one
    chose.
    """
    refused: set[str] = field(default_factory=set)
    """Providers for which a problem has already been reported."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, source: SettingsSource, label: str, values: Mapping[Path, object]) -> None:
        """Merge a layer's settings, as far as its source may set them."""
        names = dict.fromkeys(path[1] for path in values if path[0] == PROVIDERS)
        refused = {name for name in names if not self._admit(name, source, label, values)}
        self.refused |= refused
        for path, value in values.items():
            if path[0] == PROVIDERS and path[1] in refused:
                continue
            tamed, fault = tame(source, path, value)
            if fault:
                self._problem(label, f"{dotted(path)} {fault}")
            if tamed is not None:
                self._merge(path, Setting(tamed, source, label))

    def config(self) -> Config:
        """Return the merged settings; a missing or unusable value is reported as a problem, and its default is
        used.
        """
        built = {name: self._provider(name) for name in self._names()}
        providers = {name: config for name, config in built.items() if config is not None}
        self._choose(providers)
        self._keep_usable(providers)
        top = {path[0]: setting.value for path, setting in self.settings.items() if len(path) == 1}
        sections = {
            each.name: inner(**self._values((each.name,)))
            for each in fields(Config)
            if (inner := section_of(each.type))
        }
        return Config(**{**top, **sections, PROVIDERS: providers})

    def origins(self, config: Config) -> dict[Path, str]:
        """Return the label of the layer that set each setting of `config`."""
        return {path: self._origin(path, value) for path, value in _leaves((), config)}

    # Layers

    def _admit(self, name: str, source: SettingsSource, label: str, values: Mapping[Path, object]) -> bool:
        """Check whether a source may set anything of this provider, which it may be the first to mention."""
        if name in (AUTO, LOCAL):
            self._problem(label, f'providers.{name}: "{name}" is reserved, choose another name')
            return False
        if source.is_user:
            if not self._is_users(name):
                self._forget(name)
            return True
        if self._is_users(name):
            return True
        if source is SettingsSource.POLICY_FILE:
            return False
        if not source.may_choose:
            self._problem(label, f"providers.{name}: only your own settings file may define a provider")
            return False
        return self._admit_address(name, source, label, values)

    def _admit_address(
        self, name: str, source: SettingsSource, label: str, values: Mapping[Path, object]
    ) -> bool:
        proposed = values.get((PROVIDERS, name, "base_url"))
        url = str(proposed) if proposed else self._current((PROVIDERS, name, "base_url"))
        if not url or may_name_address(source, url):
            return True
        self._problem(
            label,
            f"providers.{name}: only your own settings file may enable {origin_of(url).host}; "
            f"run `llm-lsp provider add {name}`",
        )
        return False

    def _merge(self, path: Path, new: Setting) -> None:
        is_provider = path[0] == PROVIDERS
        if is_provider and path[2] == NAME:
            self.settings.setdefault(path, new)
            return
        rule = rule_for(new.source, path, is_users=is_provider and self._is_users(path[1]))
        if rule is SourceRule.NEVER:
            self._refuse(path, new)
        elif rule is SourceRule.TIGHTEN:
            self._tighten(path, new)
        elif path == CHOICE:
            self._note_choice(new)
        elif path == EXCLUDE:
            self._tighten(path, new)
        else:
            self._release_keys(path, new)
            self.settings[path] = new
            for name in _names_in(path, new.value):
                self._enable(name, new)

    def _release_keys(self, path: Path, new: Setting) -> None:
        """Drop the machine's key settings of a provider whose address another source changes."""
        old = self.settings.get(path)
        if path[-1] != "base_url" or old is None or old.source is not SettingsSource.DEFAULTS_FILE:
            return
        if new.source is not old.source and origin_of(new.value) != origin_of(old.value):
            for key in (*KEY_FIELDS, "headers"):
                held = self.settings.get((*path[:2], key))
                if held is not None and held.source is SettingsSource.DEFAULTS_FILE:
                    del self.settings[*path[:2], key]

    def _refuse(self, path: Path, new: Setting) -> None:
        if new.value != self._current(path):
            self._problem(new.label, f"{dotted(path)}: only your own settings file may set this")

    def _tighten(self, path: Path, new: Setting) -> None:
        current = self._current(path)
        result = STRICTER[general(path)](current, new.value)
        if result != current:
            self.settings[path] = replace(new, value=result, label=self._label(path, new))
        # Not reported: a policy's number is only a cap, and its lists may name things that no other layer mentions.
        elif (
            result != new.value
            and not isinstance(new.value, tuple)
            and new.source is not SettingsSource.POLICY_FILE
        ):
            self._problem(new.label, f"{dotted(path)} can only be made stricter here")

    def _label(self, path: Path, new: Setting) -> str:
        old = self.settings.get(path)
        return f"{old.label}, {new.label}" if old and STRICTER[general(path)] is joined else new.label

    def _note_choice(self, new: Setting) -> None:
        self.choices.append(new)
        self._enable(new.value, new)

    def _enable(self, name: str, by: Setting) -> None:
        """Enable a preset that is named, if the source may name the preset's address."""
        preset = self.presets.get(name)
        if preset and may_name_address(by.source, preset.base_url):
            path = (PROVIDERS, name, NAME)
            old = self.settings.get(path)
            if old is None or (by.source.is_user and not old.source.is_user):
                self._forget(name)
                self.settings[path] = replace(by, value=name)

    # Building the result

    def _provider(self, name: str) -> ProviderConfig | None:
        table = {**self._preset_table(name), **self._values((PROVIDERS, name))}
        label = self.settings[PROVIDERS, name, NAME].label
        missing = [
            each.name for each in fields(ProviderConfig) if is_required(each) and not table.get(each.name)
        ]
        if missing:
            self._problem(label, f"providers.{name} needs {' and '.join(missing)}")
            return None
        is_unvouched = not (self._is_users(name) and self._current(REMOTE))
        config = ProviderConfig(**{**table, UNVOUCHED: is_unvouched})
        if fault := self._forbidden(config):
            self._problem(label, f"providers.{name}: {fault}")
            return None
        return config

    def _forbidden(self, config: ProviderConfig) -> str:
        """Return why nothing may be sent to a provider, or ""."""
        origin = origin_of(config.base_url)
        if origin.is_loopback and config.local is not False:
            return ""
        if not self._current(REMOTE):
            return f"is not on this machine, and {dotted(REMOTE)} is false ({self._origin(REMOTE, False)})"
        allowed = self._current(ALLOWED)
        if allowed and origin not in map(origin_of, allowed):
            return f"{origin} is not among {dotted(ALLOWED)} ({self._origin(ALLOWED, allowed)})"
        if origin.scheme == "http" and not origin.is_loopback and not config.allow_http:
            return (
                f"http:// to {origin.host} would send code and key unencrypted; "
                "use https:// or set allow_http = true"
            )
        return ""

    def _preset_table(self, name: str) -> dict[str, Any]:
        preset = self.presets.get(name)
        if preset is None:
            return {}
        result = {each.name: getattr(preset, each.name) for each in fields(preset)}
        url = self.settings.get((PROVIDERS, name, "base_url"))
        is_elsewhere = url is not None and origin_of(url.value) != origin_of(preset.base_url or url.value)
        if is_elsewhere or not self._is_users(name):
            for key in KEY_FIELDS:
                del result[key]
        return result

    def _choose(self, providers: Mapping[str, ProviderConfig]) -> None:
        """Use the latest choice that can be used."""
        for choice in reversed(self.choices):
            name = choice.value
            if _is_usable(name, providers):
                self.settings[CHOICE] = choice
                return
            if name not in self.refused and (PROVIDERS, name, NAME) not in self.settings:
                self._problem(choice.label, self._unusable(name, providers))

    def _keep_usable(self, providers: dict[str, ProviderConfig]) -> None:
        """Remove routes, fallbacks and a provider of next edits that are not enabled."""
        edits = self.settings.get(EDITS)
        if edits is not None and not self._is_kept(edits.value, EDITS, providers):
            del self.settings[EDITS]
        if (routes := self.settings.get(ROUTES)) is not None:
            kept = [route for route in routes.value if self._is_kept(route.provider, ROUTES, providers)]
            self.settings[ROUTES] = replace(routes, value=tuple(kept))
        for name, config in providers.items():
            path = (PROVIDERS, name, FALLBACK)
            kept = [other for other in config.fallback if self._is_kept(other, path, providers)]
            providers[name] = replace(config, fallback=tuple(kept))

    def _is_kept(self, name: str, path: Path, providers: Mapping[str, ProviderConfig]) -> bool:
        if _is_usable(name, providers):
            return True
        self._problem(self.settings[path].label, f"{dotted(path)}: {self._unusable(name, providers)}")
        return False

    def _unusable(self, name: str, providers: Mapping[str, ProviderConfig]) -> str:
        if name in self.presets and (PROVIDERS, name, NAME) not in self.settings:
            return f'provider "{name}" is not enabled; run `llm-lsp provider add {name}`'
        known = [AUTO, LOCAL, *providers, *self.presets] if len(self.problems) < HINTED_FAULTS else []
        return f'unknown provider "{name}"{nearest(name, known)}'

    # Lookups

    def _names(self) -> list[str]:
        return [path[1] for path in self.settings if path[0] == PROVIDERS and path[2] == NAME]

    def _is_users(self, name: str) -> bool:
        owner = self.settings.get((PROVIDERS, name, NAME))
        return owner is not None and owner.source.is_user

    def _forget(self, name: str) -> None:
        """Discard what other sources set for a provider before the user defined it."""
        for path in [path for path in self.settings if path[:2] == (PROVIDERS, name)]:
            del self.settings[path]

    def _values(self, prefix: Path) -> dict[str, Any]:
        depth = len(prefix)
        return {
            path[depth]: setting.value
            for path, setting in self.settings.items()
            if path[:depth] == prefix and len(path) == depth + 1
        } | ({NAME: prefix[1]} if prefix[0] == PROVIDERS else {})

    def _current(self, path: Path) -> Any:
        if path in self.settings:
            return self.settings[path].value
        if path[0] == PROVIDERS:
            preset = self.presets.get(path[1])
            return getattr(preset, path[2]) if preset else _defaults(ProviderConfig).get(path[2])
        value: Any = Config()
        for name in path:
            value = getattr(value, name)
        return value

    def _origin(self, path: Path, value: object) -> str:
        if path in self.settings:
            return self.settings[path].label
        is_preset = path[0] == PROVIDERS and path[1] in self.presets
        if is_preset and value != _defaults(ProviderConfig).get(path[2]):
            return f"preset {path[1]}"
        return "default"

    def _problem(self, label: str, message: str) -> None:
        self.problems.append(Problem(label, message))


def _is_usable(name: str, providers: Mapping[str, ProviderConfig]) -> bool:
    return name in (AUTO, LOCAL) or name in providers


def _names_in(path: Path, value: Any) -> tuple[str, ...]:
    """Return the providers that a setting names."""
    if path == ROUTES:
        return tuple(route.provider for route in value)
    if path == EDITS:
        return (value,)
    return value if path[0] == PROVIDERS and path[-1] == FALLBACK else ()


def _defaults(kind: Any) -> dict[str, Any]:
    return {each.name: _default(each) for each in fields(kind) if not is_required(each)}


def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, object]]:
    """Yield every setting below `value`."""
    if is_dataclass(value):
        for each in fields(value):
            if each.name not in NO_KEYS:
                yield from _leaves((*path, each.name), getattr(value, each.name))
    elif path == (PROVIDERS,):
        for name, config in value.items():
            yield from _leaves((*path, name), config)
    else:
        yield path, value
