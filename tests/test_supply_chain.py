"""What others' code comes with ours: locked by hash, listed with its licence, and known by name where it serves."""

from __future__ import annotations

import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import cast

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.e2e.session import INLINE, SOURCE, first_item, options, say_one_line
from tests.lsp.editors import EDITORS
from tests.lsp.fakes import URI
from tests.lspclient import running
from tests.providers.standin import serve

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "requirements-dev.lock").read_text("utf-8")
LICENCES = (ROOT / "docs" / "licences.md").read_text("utf-8")

# All that is imported from others until the first completion is there. A new name here is a decision: it is code
# that runs with the user's keys and texts.
SERVING = {
    *("anyio", "attr", "attrs", "cachetools", "cattrs", "certifi", "click", "h11"),
    *(
        "httpcore",
        "httpx",
        "idna",
        "lsprotocol",
        "platformdirs",
        "pygls",
        "sniffio",
        "typing_extensions",
    ),
    # Linux has its own tables of the accounts behind sockets.
    *(() if sys.platform == "linux" else ("psutil",)),
    # While idle: what other files define is read for the next prompt.
    *("tree_sitter", "tree_sitter_python"),
}


def direct() -> Iterator[Requirement]:
    """Return the packages named in pyproject.toml."""
    extras = PROJECT["optional-dependencies"]
    for line in (*PROJECT["dependencies"], *extras["local"], *extras["test"]):
        yield Requirement(line)


def needed(names: Iterator[str]) -> dict[str, metadata.Distribution]:
    """Return these packages and everything they need on this machine."""
    found: dict[str, metadata.Distribution] = {}
    todo = [*names]
    while todo:
        name = canonicalize_name(todo.pop())
        if name in found:
            continue
        found[name] = metadata.distribution(name)
        environment: dict[str, str] = {**cast(dict[str, str], default_environment()), "extra": ""}
        for requirement in map(Requirement, found[name].requires or ()):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                todo.append(requirement.name)
    return found


def test_the_lock_holds_what_the_project_names() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==([^ \\;]+)", LOCK, re.MULTILINE))

    for requirement in direct():
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not locked, run .ci/lock"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: run .ci/lock"


def test_everything_in_the_lock_has_a_hash_and_no_address() -> None:
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]

    assert len(entries) > len([*direct()])
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK


def test_every_package_of_the_user_is_listed_with_its_licence() -> None:
    users = needed(Requirement(line).name for line in PROJECT["dependencies"])
    listed = dict(re.findall(r"^\| ([\w.-]+) \| ([^|]+) \|", LICENCES, re.MULTILINE))

    assert sorted(set(users) - set(listed)) == []
    assert "unknown" not in " ".join(listed.values()).lower()


async def test_serving_imports_what_is_known_and_no_more(tmp_path: Path) -> None:
    command = (sys.executable, "-X", "importtime", "-m", "llm_lsp", "server")
    no_settings = {"workspace/configuration": [None]}
    async with serve(say_one_line) as standin, running(tmp_path, *command, results=no_settings) as client:
        await client.initialize(EDITORS["VS Code"][0], initializationOptions=options(standin))
        client.open(URI, SOURCE)
        await first_item(client, INLINE)
        errors = client.process.stderr
    assert errors is not None
    times = (await errors.read()).decode()

    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in times.splitlines()}
    others = imported & set(metadata.packages_distributions()) - set(sys.stdlib_module_names)
    # The interpreter imports this itself, where an environment has it.
    assert "httpx" in others
    assert others - {"llm_lsp", "_distutils_hack"} <= SERVING


def test_nothing_is_fetched_while_installing() -> None:
    """A wheel of pure files: no build step, no script, no hook of ours runs on a user's machine."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert build["build-system"]["build-backend"] == "hatchling.build"
    assert "hooks" not in str(build["tool"]["hatch"])
    assert not [*ROOT.glob("setup.py"), *ROOT.glob("hatch_build.py")]
    assert Path(sysconfig.get_path("scripts"), "llm-lsp").exists()
