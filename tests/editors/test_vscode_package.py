"""The extension's manifest declares the server's settings, all of them and no other, as the schema has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import llm_lsp
from llm_lsp.config.parse import parse
from llm_lsp.config.reference import json_schema

FOLDER = Path(__file__).parents[2] / "editor-configs" / "vscode"
REMEDY = "run: llm-lsp config schema | npm --prefix editor-configs/vscode run settings"
OWN = ("llm-lsp.server.", "llm-lsp.offerToLeaveOne")
"""What only the extension reads."""


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


def declared() -> dict[str, dict[str, Any]]:
    groups = read("package.json")["contributes"]["configuration"]
    return {key: setting for group in groups for key, setting in group["properties"].items()}


def leaves(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each setting of the schema; tables with names chosen by users stay whole."""
    for name, found in table["properties"].items():
        if "properties" in found:
            yield from leaves(found, (*path, name))
        else:
            yield (*path, name), found


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


SERVERS = {".".join(["llm-lsp", *map(camel, path)]): found for path, found in leaves(json_schema())}
"""The server's settings by the names that an editor has for them."""


def test_every_setting_is_declared_and_no_other() -> None:
    known = {key for key in declared() if not key.startswith(OWN)}
    assert known == set(SERVERS), REMEDY


@pytest.mark.parametrize("key", SERVERS)
def test_a_setting_is_declared_as_the_schema_has_it(key: str) -> None:
    setting, wanted = declared()[key], dict(SERVERS[key])
    assert setting["markdownDescription"] == wanted.pop("description"), REMEDY
    assert {name: setting.get(name) for name in wanted} == wanted, REMEDY
    assert "default" in setting, REMEDY


@pytest.mark.parametrize("key", [key for key in SERVERS if key != "llm-lsp.providers"])
def test_the_server_takes_a_declared_default_by_its_declared_name(key: str) -> None:
    settings: Any = declared()[key]["default"]
    for part in reversed(key.split(".")[1:]):
        settings = {part: settings}
    assert parse(settings, from_editor=True).faults == ()


def test_a_workspace_that_is_not_trusted_can_set_nothing() -> None:
    limits = read("package.json")["capabilities"]["untrustedWorkspaces"]
    assert limits["supported"] == "limited"
    assert set(limits["restrictedConfigurations"]) == set(declared()), REMEDY


@pytest.mark.parametrize("key", ["server.path", "server.package", "server.logLevel", "providers"])
def test_no_workspace_says_what_runs_or_where_code_is_sent(key: str) -> None:
    assert declared()[f"llm-lsp.{key}"]["scope"] == "machine"


def test_the_extension_has_the_servers_version() -> None:
    assert read("package.json")["version"] == llm_lsp.__version__
    assert read("package-lock.json")["version"] == llm_lsp.__version__


def test_the_lock_file_names_packages_and_no_registry() -> None:
    packages = read("package-lock.json")["packages"]
    assert packages["node_modules/vscode-languageclient"]["integrity"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
