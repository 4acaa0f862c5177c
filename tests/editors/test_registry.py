"""The entries for editors' registries name what the package really has."""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from pathlib import Path

from ruamel.yaml import YAML

from llm_lsp import __version__
from llm_lsp.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent.parent
ENTRIES = ROOT / "editor-configs" / "registry"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_masons_entry_is_the_package() -> None:
    entry = YAML(typ="safe").load(ENTRIES / "mason.yaml")

    assert entry["source"]["id"] == f"pkg:pypi/{PROJECT['name']}@{__version__}"
    assert entry["bin"] == {name: f"pypi:{PROJECT['name']}" for name in PROJECT["scripts"]}
    assert entry["licenses"] == [PROJECT["license"]]


def test_every_entry_starts_the_server() -> None:
    [helix] = tomllib.loads((ENTRIES / "helix.toml").read_text("utf-8")).values()
    found = re.search(r"cmd = \{ '(.*)', '(.*)' \}", (ENTRIES / "nvim-lspconfig.lua").read_text("utf-8"))

    assert found is not None
    for program, *arguments in ([helix["command"], *helix["args"]], [*found.groups()]):
        assert program in PROJECT["scripts"]
        assert arguments == ["server"]
    assert "server" in COMMANDS


# Characters, by the field; eclipse/openvsx, ExtensionValidator.java.
OPEN_VSX_LIMITS = {
    "displayName": 255,
    "description": 2048,
    "license": 255,
    "categories": 255,
    "keywords": 255,
}


def test_open_vsx_takes_the_extensions_manifest() -> None:
    manifest = json.loads((ROOT / "editor-configs" / "vscode" / "package.json").read_text("utf-8"))

    for name in ("publisher", "name"):
        assert re.fullmatch(r"[\w\-+$~]{1,255}", manifest[name])
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    for name, limit in OPEN_VSX_LIMITS.items():
        texts = manifest[name] if isinstance(manifest[name], list) else [manifest[name]]
        assert all(len(text) <= limit for text in texts)
        assert not any(unicodedata.category(each)[0] == "C" for text in texts for each in text)
