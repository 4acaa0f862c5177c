"""Secret files are never sent."""

from __future__ import annotations

import pytest

from llm_lsp.core.exclude import SECRET_FILES, Exclusion


@pytest.mark.parametrize(
    ("uri", "covered"),
    [
        pytest.param("file:///p/.env", True, id="env"),
        pytest.param("file:///p/.env.local", True, id="env-variant"),
        pytest.param("file:///p/.env.example", False, id="env-example"),
        pytest.param("file:///p/prod.ENV", True, id="case-does-not-matter"),
        pytest.param("file:///p/%2Eenv", True, id="percent-encoded"),
        pytest.param("file:///p/x/../.ssh/config", True, id="dot-dot"),
        pytest.param("file:///home/u/.aws/credentials", True, id="folder"),
        pytest.param("file:///p/server.key", True, id="key"),
        pytest.param("file:///p/keys.py", False, id="ordinary-code"),
        pytest.param("file:///p/config.json", False, id="ordinary-settings"),
        pytest.param("file:///c%3A/Users/u/id_rsa", True, id="windows-drive"),
        pytest.param("file:///home/u/.config/llm-lsp/config.toml", True, id="our-own-settings"),
        pytest.param("untitled:Untitled-1", False, id="unsaved"),
    ],
)
def test_built_in_list(uri: str, covered: bool) -> None:
    assert Exclusion(SECRET_FILES).covers(uri) is covered


def test_users_globs() -> None:
    exclusion = Exclusion(("**/private/**",))

    assert exclusion.covers("file:///p/private/a.py")
    assert not exclusion.covers("file:///p/public/a.py")
