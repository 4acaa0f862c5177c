"""The first hour in VS Code, without a terminal: from no model and no key to a provider, or to why it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.cli.model_api import model_api
from tests.editors.neovim import wait_for
from tests.editors.vscode import PROGRAM, Window, is_installed, window

TOAST = ".notification-toast"
BUTTON = f"{TOAST} .monaco-button"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_editor,
    pytest.mark.skipif(
        not is_installed(),
        reason="`.ci/code-server`, LLM_LSP_TEST_CODE_SERVER and `npm run package` are needed",
    ),
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A user who has nothing: no model, no key, no settings."""
    with window(tmp_path_factory.mktemp("user"), PROGRAM, {}) as window_:
        yield window_


def is_titled(shown: Window, title: str) -> bool:
    return title in "".join(shown.read(".quick-input-title"))


def toasts(shown: Window) -> str:
    return " ".join(shown.read(TOAST))


def test_where_there_is_no_model_a_download_and_a_provider_are_offered(shown: Window) -> None:
    shown.open("first.py", "x = ")
    assert wait_for(lambda: "has no model yet" in toasts(shown)), toasts(shown)

    assert [text.strip() for text in shown.read(BUTTON)] == ["Download a Model", "Add a Provider"]
    # The model, its size and its licence.
    assert "Apache-2.0" in toasts(shown)
    shown.picture("no-model")


def test_a_refused_key_is_told_and_nothing_replaced(shown: Window) -> None:
    with model_api(status=401) as api:
        shown.run("llm-lsp: Add a Provider…")
        assert wait_for(lambda: any("codestral" in row for row in shown.rows()))
        shown.type("Another")  # At the end of a long list, of which only the beginning is drawn.
        assert wait_for(lambda: "Another address" in "".join(shown.rows()[:1]))
        shown.press("Enter")
        for step, answer in (("1 of 3", api.url), ("2 of 3", "mine"), ("3 of 3", "m")):
            assert wait_for(partial(is_titled, shown, step)), step
            shown.type(answer)
            shown.press("Enter")
        assert wait_for(lambda: "mine was tried and is not used" in toasts(shown), 60), toasts(shown)

    assert "key accepted" in toasts(shown)
    shown.picture("refused-key")
