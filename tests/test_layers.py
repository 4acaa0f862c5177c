"""Imports go one way, and each library is imported only in the parts that may use it.

Each test looks at every module and reports each offence by its module: one test, since the modules are many.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

# The first of these tests parses the whole package.
pytestmark = pytest.mark.timeout(300)

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
# A library, and the only parts that may import it.
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


@cache
def modules() -> tuple[str, ...]:
    return tuple(
        sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
    )


@cache
def source(module: str) -> str:
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(source(module))


@cache
def imports(module: str) -> tuple[str, ...]:
    """Return every name a module imports, including those in functions and for type checking."""
    return tuple(_imports(module))


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def test_imports_go_one_way() -> None:
    assert {module: found for module in modules() if (found := _imports_upwards(module))} == {}


def _imports_upwards(module: str) -> list[str]:
    part = module.split(".")[0]
    allowed = {part, "errors", "llm_lsp", "__version__", *MAY_IMPORT[part]}
    ours = [name.removeprefix("llm_lsp.") for name in imports(module) if is_within(name, "llm_lsp")]
    return [name for name in ours if not any(is_within(name, other) for other in allowed)]


def test_the_imports_have_no_cycle() -> None:
    """Without a cycle, the modules have an order in which each imports earlier ones only."""
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


def test_only_the_feature_itself_imports_a_feature() -> None:
    floors = [module for module in modules() if module.startswith(("core.", "engine."))]

    assert {module: found for module in floors if (found := _imported_features(module))} == {}


def _imported_features(module: str) -> list[str]:
    floor, subject, *_ = module.split(".")
    if module == "engine.engine":
        return []
    others = [f"llm_lsp.{floor}.{feature}" for feature in FEATURES if feature != subject]
    # A value that a client is given may be a feature's, and costs no import when the program runs.
    typed = {"engine.client.interface": ("llm_lsp.core.chat", "llm_lsp.core.edits")}.get(module, ())
    found = [name for name in imports(module) if any(is_within(name, other) for other in others)]
    return [name for name in found if not any(is_within(name, other) for other in typed)]


def test_a_folder_has_few_modules() -> None:
    folders: dict[str, int] = {}
    for module in modules():
        folder = module.rpartition(".")[0]
        folders[folder] = folders.get(folder, 0) + 1

    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES} == {}


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for module in modules():
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)

    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_libraries_are_imported_only_in_their_parts() -> None:
    foreign = [
        (module, library)
        for module in modules()
        for name in imports(module)
        for library, rooms in ROOMS.items()
        if is_within(name, library) and not any(is_within(module, room) for room in rooms)
    ]

    assert foreign == []


def test_the_core_imports_nothing_impure() -> None:
    impure = [
        (module, name)
        for module in modules()
        if is_within(module, "core")
        for name in imports(module)
        if any(is_within(name, other) for other in NOT_IN_CORE)
    ]

    assert impure == []


def test_a_module_has_at_most_400_lines() -> None:
    assert {module: lines for module in modules() if (lines := source(module).count("\n")) > 400} == {}


def test_no_module_is_a_grab_bag() -> None:
    vague = {"utils", "helpers", "common", "manager", "constants"}

    assert [module for module in modules() if vague & set(module.split("."))] == []


def test_no_module_has_mutable_state() -> None:
    assert {module: found for module in modules() if (found := _mutable_state(module))} == {}


def _mutable_state(module: str) -> list[str]:
    declared = [ast.unparse(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Global)]
    mutable = [
        ast.unparse(node)
        for node in tree(module).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.List | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
        # Declared read-only: mypy holds that.
        and not (isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith("Mapping["))
    ]
    return declared + mutable
