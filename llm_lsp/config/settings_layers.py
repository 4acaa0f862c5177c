"""The layers of settings, and the configuration they resolve to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from llm_lsp.config.merge import Merge
from llm_lsp.config.parse import TOO_LARGE, dotted, is_too_large, parse
from llm_lsp.config.settings import Config, Problem, ProviderConfig
from llm_lsp.config.source_rules import SettingsSource


@dataclass(frozen=True, slots=True)
class Layer:
    """One source's settings, unchecked."""

    source: SettingsSource
    label: str
    """What a user knows the source by: a file's path, or its name."""
    settings: Mapping[str, object]
    problems: tuple[Problem, ...] = ()
    """What went wrong before parsing, such as an unreadable file."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The result of merging all layers."""

    config: Config
    problems: tuple[Problem, ...]
    origins: Mapping[str, str]
    """Dotted setting -> label of the layer that set it, "preset NAME", or "default"."""


# How many problems of one source its message lists.
SHOWN_PROBLEMS = 3


def by_source(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Combine the problems of each source into one: their number, and the first of them."""
    messages: dict[str, list[str]] = {}
    for problem in problems:
        messages.setdefault(problem.source, []).append(problem.message)
    return tuple(Problem(source, _summary(each)) for source, each in messages.items())


def _summary(messages: list[str]) -> str:
    if len(messages) == 1:
        return messages[0]
    more = len(messages) - SHOWN_PROBLEMS
    rest = (f"and {more:,} more",) if more > 0 else ()
    return f"{len(messages):,} problems: {'; '.join((*messages[:SHOWN_PROBLEMS], *rest))}"


@dataclass(frozen=True, slots=True)
class SettingsStack:
    """The layers in an immutable stack; adding settings makes a new one."""

    presets: Mapping[str, ProviderConfig] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()

    def with_layer(
        self,
        source: SettingsSource | str,
        settings: Mapping[str, object],
        label: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> SettingsStack:
        """Add a layer, or replace the one with the same source and label.

        `source` is a `SettingsSource` or its value, such as "editor settings".
        """
        source = SettingsSource(source)
        layer = Layer(source, label or source.value, settings, problems)
        layers = {(old.source, old.label): old for old in self.layers}
        layers[source, layer.label] = layer
        return replace(self, layers=tuple(layers.values()))

    def without(self, source: SettingsSource) -> SettingsStack:
        """Return the stack without a source's layers."""
        return replace(self, layers=tuple(layer for layer in self.layers if layer.source is not source))

    def with_files(self, layers: tuple[Layer, ...]) -> SettingsStack:
        """Return the stack with all file layers replaced."""
        others = tuple(layer for layer in self.layers if not layer.source.is_file)
        return replace(self, layers=(*others, *layers))

    def resolve(self) -> Resolved:
        """Merge the layers; an invalid setting is reported as a problem, and the rest is used."""
        problems = [problem for layer in self._in_order() for problem in layer.problems]
        merge = Merge(self.presets)
        for layer in self._in_order():
            if layer.source.is_bounded and is_too_large(layer.settings):
                problems.append(Problem(layer.label, f"none of its settings are used: {TOO_LARGE}"))
                continue
            parsed = parse(layer.settings, from_editor=layer.source.is_editor)
            problems += [Problem(layer.label, fault) for fault in parsed.faults]
            merge.add(layer.source, layer.label, parsed.values)
        config = merge.config()
        origins = {dotted(path): label for path, label in merge.origins(config).items()}
        return Resolved(config, (*problems, *merge.problems), origins)

    def _in_order(self) -> list[Layer]:
        order = list(SettingsSource)
        return sorted(self.layers, key=lambda layer: order.index(layer.source))
