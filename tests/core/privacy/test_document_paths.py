"""A URI can mean more than one path, and every one counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.privacy.document_paths import SCHEMES, normal, readings


@pytest.mark.parametrize(
    ("uri", "paths"),
    [
        pytest.param("file:///p/a.py", ("/p/a.py",), id="a file"),
        pytest.param("file:///p/a%20b.py", ("/p/a b.py",), id="escaped"),
        pytest.param("file:///c%3A/a.py", ("/c:/a.py",), id="a drive"),
        pytest.param("file:///p/.env#x", ("/p/.env", "/p/.env#x"), id="a raw hash"),
        pytest.param("file:///p/c#/.env", ("/p/c", "/p/c#/.env"), id="a raw hash in a folder's name"),
        pytest.param("file:///p/a?b/.env?", ("/p/a", "/p/a?b/.env?"), id="raw question marks"),
        pytest.param("file:///p/%252Eenv", ("/p/%2Eenv", "/p/.env"), id="escaped twice"),
        pytest.param("file://server/share/.env", ("/share/.env",), id="another machine's share"),
        pytest.param("FILE:///p/.env", ("/p/.env",), id="a scheme in capitals"),
        pytest.param("untitled:/p/.env", ("/p/.env",), id="to be saved at a path"),
        pytest.param("untitled:.env", (".env",), id="a name alone"),
        pytest.param(
            "vscode-userdata:/u/settings.json", ("/u/settings.json",), id="the editor's own settings"
        ),
        pytest.param("vscode-remote://ssh/u/.env", ("/u/.env",), id="another machine"),
        pytest.param("vscode-notebook-cell:/p/n.ipynb#W0s", ("/p/n.ipynb",), id="a notebook's cell"),
        pytest.param("git:/p/.env", ("/p/.env",), id="a view, which a setting may add"),
        pytest.param("jupyter-notebook-cell:///p/n.ipynb#W0s", ("/p/n.ipynb",), id="another client's cell"),
        pytest.param("file:///p/n.ipynb#cell-1", ("/p/n.ipynb", "/p/n.ipynb#cell-1"), id="a cell of a file"),
    ],
)
def test_the_paths_that_a_uri_can_mean(uri: str, paths: tuple[str, ...]) -> None:
    assert readings(uri) == paths


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/p//a/./b", "p/a/b"),
        ("/p/x/../.ssh/config", "p/.ssh/config"),
        ("/../../.env", ".env"),
        ("c:\\p\\.env", "c:/p/.env"),
        ("/p/e\u0301.env", "p/\u00e9.env"),
    ],
)
def test_a_path_is_written_in_one_way(path: str, written: str) -> None:
    assert normal(path) == written


@given(st.sampled_from(SCHEMES), st.text("ab.env/#?%2E~ ", max_size=20))
def test_a_name_at_the_end_of_a_raw_uri_is_among_the_readings(scheme: str, middle: str) -> None:
    if scheme.endswith("-cell"):
        middle = middle.replace("#", "")
    assert any(normal(path).endswith(".env") for path in readings(f"{scheme}:///p/{middle}/.env"))
