"""From a key in VS Code through the real server to a model and back, in a workspace that is not trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.editors.model_api import PROVIDER, FixedModel, configure, fixed_model
from tests.editors.neovim import wait_for
from tests.editors.vscode import PROGRAM, STATUS, Window, is_installed, window

SETTINGS = PROVIDER + '\n[completion]\nlength = "line"\n'
ICON = f"{STATUS} .codicon"
ANSWER = "a + b"
ABOVE = 'def add(a, b):\n    """Return the sum of a and b."""\n    '

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_editor,
    pytest.mark.skipif(
        not is_installed(),
        reason="`.ci/code-server`, LLM_LSP_TEST_CODE_SERVER and `npm run package` are needed",
    ),
]


@pytest.fixture(scope="module")
def model() -> Iterator[FixedModel]:
    with fixed_model(f"{ANSWER}\n\n\ndef unwanted():") as server:
        yield server


@pytest.fixture(scope="module")
def shown(model: FixedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    home = tmp_path_factory.mktemp("user")
    configure(home, SETTINGS, model.base_url)
    # What a cloned repository might hold: another program, and completion switched off.
    (hostile := home / "work" / ".vscode").mkdir(parents=True)
    (hostile / "settings.json").write_text(
        json.dumps(
            {"llm-lsp.server.path": "/bin/false", "llm-lsp.enabled": False, "llm-lsp.provider": "other"}
        )
    )
    with window(home, PROGRAM, {}) as window_:
        yield window_


def test_the_models_line_is_seen_and_accepted(shown: Window, model: FixedModel) -> None:
    # The whole line: `length` stands in the user's file, and no default of the extension undoes it.
    shown.open("add.py", ABOVE)
    shown.type("return ")
    assert wait_for(lambda: shown.ghost() == ANSWER), shown.ghost()
    assert "Return the sum of a and b" in model.prompts[-1]
    shown.picture("vscode")
    shown.press("Tab")
    shown.expect_text("add.py", f"{ABOVE}return {ANSWER}")


def test_an_answer_that_was_dismissed_comes_back_from_the_cache(shown: Window, model: FixedModel) -> None:
    shown.open("cache.py", ABOVE.replace("add", "plus"))
    shown.type("return ")
    assert wait_for(shown.ghost)
    n_prompts = len(model.prompts)
    shown.press("Escape")
    assert wait_for(lambda: shown.ghost() == "")
    shown.press("Alt+\\")
    assert wait_for(lambda: shown.ghost() == ANSWER)
    assert len(model.prompts) == n_prompts


def test_the_last_request_is_explained(shown: Window) -> None:
    shown.run("llm-lsp: Explain the Last Request")
    assert wait_for(lambda: any("Preview Why" in tab for tab in shown.read(".tab")))
    assert wait_for(lambda: "what happened" in shown.frames(), 30), shown.frames()
    assert "ghost text of" in shown.frames()
    assert "| stage" not in shown.frames()
    shown.picture("explain")


def test_snoozing_is_seen_in_the_status_bar(shown: Window) -> None:
    shown.run("llm-lsp: Snooze…")
    assert wait_for(lambda: any("For an hour" in row for row in shown.rows()))
    shown.press("ArrowDown", "Enter")
    assert wait_for(lambda: "circle-slash" in " ".join(shown.call("attribute", ICON, "class")))
