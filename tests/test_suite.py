"""The rules that keep these tests green on a busy machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

# What is in none but these files, and where to look instead.
RULES = {
    "a test imports no other test file: what both use stands in a module of its own": (
        r"^\s*from tests\S*\.test_\w+ import |^\s*from tests\S* import .*\btest_",
        set[str](),
    ),
    "a server comes from tests/servers.py, which closes what it accepted": (
        r"\bstart_server\(|\bcreate_server\(.*\bssl|HTTPServer\(|\bStreamReaderProtocol\(",
        {"servers.py"},
    ),
    "Hypothesis runs as tests/conftest.py says": (
        r"\bdeadline=|\bsuppress_health_check=|\bderandomize=",
        {"conftest.py", "fuzz/examples.py"},
    ),
    # These wait for another process or pace what never ends; none of them sleeps so that something comes before
    # something else.
    "a test sleeps for no order: it waits for what must come first": (
        r"\bsleep\((?!0(?:\.0)?\))",
        {
            "cli/files/test_api_keys.py",
            "conftest.py",
            "e2e/session.py",
            "e2e/test_soak.py",
            "e2e/test_team_stack.py",
            "editors/neovim.py",
            "editors/test_kate.py",
            "faults/test_client.py",
            "fuzz/test_books.py",
            "local/test_real_server.py",
            "providers/dialects/test_real_gateway.py",
            "providers/http/test_cancel.py",
            "providers/standin.py",
            "team_stack.py",
            "test_loop_time.py",
            "test_system.py",
        },
    ),
}


@pytest.mark.parametrize(("pattern", "allowed"), RULES.values(), ids=RULES.keys())
def test_a_rule_is_kept(pattern: str, allowed: set[str]) -> None:
    found = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if path != Path(__file__) and re.search(pattern, path.read_text("utf-8"), re.MULTILINE)
    }
    assert found - allowed == set()
    assert allowed - found == set(), "no longer needed"


def test_no_property_is_timed() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check
