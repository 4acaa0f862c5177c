"""Imports go one way, and what waits, speaks HTTP or speaks LSP stays in its room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "llm_lsp"

# Each part may import itself and these; `errors` and `__init__` (the version) are open to all.
MAY_IMPORT = {
    "system": set[str](),
    "port_owners": set[str](),
    "core": set[str](),
    "config": {"core"},
    "providers": {"core", "config", "system", "port_owners"},
    "local": {"core", "config", "system", "port_owners"},
    "usage_store": {"core", "system"},
    "engine": {"core", "config", "providers.base", "system"},
    "lsp": {"core", "engine", "system"},
    "evaluation": {"core", "config", "engine", "providers.base", "system"},
    "cli": {"core", "config", "providers", "local", "usage_store", "engine", "lsp", "evaluation", "system"},
    "__main__": {"cli"},
    "errors": set[str](),
    "__init__": set[str](),
}
# A library, and the only places that may know it.
ROOMS = {
    "pygls": ("lsp",),
    "lsprotocol": ("lsp",),
    "httpx": ("providers", "local"),
    "httpcore": ("providers",),
    "cachetools": ("engine.completion.cache",),
    "asyncio": ("engine", "providers", "local", "lsp", "evaluation", "cli"),
    "tree_sitter": ("core.text.syntax", "core.context.outline", "core.edits"),
    "click": ("cli",),
    "rich": ("cli",),
    "sqlite3": ("usage_store",),
    "tomlkit": ("cli",),
    "keyring": ("cli",),
    "psutil": ("system", "port_owners"),
    "identify": ("core.text.language_ids",),
    "pygments": ("core.text.language_ids",),
    "genai_prices": ("providers.catalogue.prices",),
    "huggingface_hub": ("local",),
    "xllamacpp": ("local",),
}
# On both floors the same subjects have the same names. A feature uses subjects; no feature imports another one, and no
# subject imports a feature. On the upper floor `engine.engine` wires them.
FEATURES = ("completion", "edits", "chat")
MOST_MODULES = 14
# What would make the pure part impure.
NOT_IN_CORE = {
    "os",
    "pathlib",
    "time",
    "socket",
    "subprocess",
    "threading",
    "random",
    "io.open",
    "shutil",
    "tempfile",
}


def modules() -> list[str]:
    return sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))


def imports(module: str) -> Iterator[str]:
    """Return every name a module imports, including those in functions and for type checking."""
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


@pytest.mark.parametrize("module", modules())
def test_imports_go_one_way(module: str) -> None:
    part = module.split(".")[0]
    allowed = {part, "errors", "llm_lsp", "__version__", *MAY_IMPORT[part]}

    ours = [name.removeprefix("llm_lsp.") for name in imports(module) if is_within(name, "llm_lsp")]

    assert [name for name in ours if not any(is_within(name, other) for other in allowed)] == []


def test_no_import_leads_back_to_where_it_began() -> None:
    """Where there is no circle, the modules have an order in which each imports earlier ones only."""
    names = {module.removesuffix(".__init__") for module in modules()}
    graph = {
        module.removesuffix(".__init__"): {
            found
            for name in imports(module)
            # A module, or something in one.
            for found in (name.removeprefix("llm_lsp."), name.removeprefix("llm_lsp.").rpartition(".")[0])
            if is_within(name, "llm_lsp") and found in names
        }
        for module in modules()
    }

    assert tuple(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "module", [module for module in modules() if module.startswith(("core.", "engine."))]
)
def test_only_the_feature_itself_imports_a_feature(module: str) -> None:
    floor, subject, *_ = module.split(".")
    if module == "engine.engine":
        return
    others = [f"llm_lsp.{floor}.{feature}" for feature in FEATURES if feature != subject]
    # A value that a client is given may be a feature's, and costs no import when the program runs.
    typed = {"engine.client.interface": ("llm_lsp.core.chat", "llm_lsp.core.edits")}.get(module, ())

    found = [name for name in imports(module) if any(is_within(name, other) for other in others)]

    assert [name for name in found if not any(is_within(name, other) for other in typed)] == []


def test_a_folder_is_seen_at_one_glance() -> None:
    folders: dict[str, int] = {}
    for module in modules():
        folder = module.rpartition(".")[0]
        folders[folder] = folders.get(folder, 0) + 1

    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES} == {}


def test_a_public_class_has_its_name_for_itself() -> None:
    homes: dict[str, list[str]] = {}
    for module in modules():
        path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)

    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


@pytest.mark.parametrize("module", modules())
def test_libraries_stay_in_their_rooms(module: str) -> None:
    foreign = [
        library
        for name in imports(module)
        for library, rooms in ROOMS.items()
        if is_within(name, library) and not any(is_within(module, room) for room in rooms)
    ]

    assert foreign == []


@pytest.mark.parametrize("module", [module for module in modules() if is_within(module, "core")])
def test_the_core_has_no_world(module: str) -> None:
    assert [name for name in imports(module) if any(is_within(name, other) for other in NOT_IN_CORE)] == []


@pytest.mark.parametrize("module", modules())
def test_a_module_fits_on_the_minds_screen(module: str) -> None:
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")

    assert path.read_text(encoding="utf-8").count("\n") <= 400


@pytest.mark.parametrize("module", modules())
def test_no_grab_bags(module: str) -> None:
    assert not {"utils", "helpers", "common", "manager", "constants"} & set(module.split("."))


@pytest.mark.parametrize("module", modules())
def test_no_mutable_state_at_module_level(module: str) -> None:
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))

    declared = [node.names for node in ast.walk(tree) if isinstance(node, ast.Global)]
    mutable = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.List | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
        # Declared read-only: mypy holds that.
        and not (isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith("Mapping["))
    ]

    assert declared == []
    assert mutable == []
