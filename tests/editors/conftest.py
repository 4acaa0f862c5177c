"""Which of these tests a system can run at all, and the editors that several of them share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.editors.ghosts import Ghosts

# Windows has no pseudo-terminal.
IN_A_TERMINAL = [
    f"test_{name}.py" for name in ("ghosts", "vim", "emacs", "kate", "menus", "ghosts_end_to_end")
]
collect_ignore = IN_A_TERMINAL if sys.platform == "win32" else []


@pytest.fixture(scope="package")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Ghosts]]:
    """Yield an editor by name, with an empty file; each is started once."""
    from tests.editors.ghosts import running

    started: dict[str, Ghosts] = {}
    with ExitStack() as stack:

        def give(name: str) -> Ghosts:
            if name not in started:
                started[name] = stack.enter_context(running(name, tmp_path_factory.mktemp(name)))
            started[name].fresh()
            return started[name]

        yield give


@pytest.fixture
def vim(begin: Callable[[str], Ghosts]) -> Ghosts:
    return begin("vim")


@pytest.fixture
def emacs(begin: Callable[[str], Ghosts]) -> Ghosts:
    return begin("emacs")


@pytest.fixture(params=["vim", "emacs"])
def editor(request: pytest.FixtureRequest, begin: Callable[[str], Ghosts]) -> Ghosts:
    return begin(request.param)
