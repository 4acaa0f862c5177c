"""Next edits in VS Code, from typed keys to the saved file, through the real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.model_api import PROVIDER, configure, fixed_model
from tests.editors.neovim import wait_for
from tests.editors.vscode import PROGRAM, Window, is_installed, window

SETTINGS = PROVIDER + '\n[completion]\ntrigger = "manual"\n'
SOURCE = "def total(cart, rate):\n    price = sum(cart)\n    return price * rate * len(cart)\n"

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
    home = tmp_path_factory.mktemp("user")
    with fixed_model("unwanted") as model:
        configure(home, SETTINGS, model.base_url)
        with window(home, PROGRAM, {"editor.quickSuggestions": False}) as window_:
            yield window_


def marks(window: Window) -> list[str]:
    """Return the texts that decorations put beside the file's."""
    return [str(text) for text in window.call("after", ".view-lines span")]


def rename(window: Window, name: str, source: str = SOURCE) -> None:
    """Open a file, and give the first parameter a new name by keys."""
    window.open(name, source)
    window.press("Control+Home", *["ArrowRight"] * len("def total("), "Control+Shift+ArrowRight")
    window.type("basket")


def test_tab_goes_to_the_edit_and_then_applies_it(shown: Window) -> None:
    rename(shown, "cart.py")
    assert wait_for(lambda: marks(shown) == ["basket"]), marks(shown)
    shown.picture("vscode-edit")

    shown.press("Tab", "Tab")
    shown.expect_text("cart.py", SOURCE.replace("cart", "basket", 2))
    assert wait_for(lambda: marks(shown) == ["basket"]), marks(shown)
    shown.press("Tab", "Tab")
    shown.expect_text("cart.py", SOURCE.replace("cart", "basket"))
    assert wait_for(lambda: marks(shown) == []), marks(shown)


def test_tab_means_what_it_meant_while_nothing_is_marked(shown: Window) -> None:
    shown.open("tab.py", "x = 1")
    shown.press("Tab")
    shown.expect_text("tab.py", "x = 1   ")


def test_an_edit_off_the_screen_is_hinted_at(shown: Window) -> None:
    source = SOURCE.replace("\n    return", "\n" + "    rate += 1\n" * 60 + "    return").replace(
        "sum(cart)", "0"
    )
    rename(shown, "long.py", source)
    assert wait_for(lambda: "next edit: line 63" in "".join(marks(shown))), marks(shown)
    shown.press("Tab")
    assert wait_for(lambda: marks(shown) == ["basket"]), marks(shown)


def test_a_dismissed_edit_is_gone(shown: Window) -> None:
    rename(shown, "gone.py")
    assert wait_for(lambda: marks(shown) == ["basket"]), marks(shown)
    shown.press("Escape")
    assert wait_for(lambda: marks(shown) == []), marks(shown)
    shown.expect_text("gone.py", SOURCE.replace("cart", "basket", 1))
