"""Type, pause a second, and Kate's menu shows the model's text: in a real Kate, with the real server."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm_lsp.cli.editors.editor_files import configurations
from tests.editors import recording
from tests.editors.cart import ABOVE, PAUSE_S, SETTINGS
from tests.editors.display import Display, display
from tests.editors.model_api import configure, fixed_model
from tests.editors.neovim import wait_for
from tests.editors.picture import PICTURES
from tests.editors.terminal import environment

NEEDED = ("kate", "Xvfb", "xdotool", "dbus-run-session")
MISSING = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not on the path: {' '.join(MISSING)}"),
]

# What its user would have clicked: the plugin is on, and the command may run.
KATERC = """
[General]
Show welcome view for new window=false
Show Url Nav Bar=false
[Kate Plugins]
lspclientplugin=true
[lspclient]
AllowedServerCommandLines={command} server
"""


@contextmanager
def kate(home: Path, shown: Display, commands: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Kate in a home of its own, with the configuration that we give, and an empty file."""
    (place := home / "config" / "kate" / "lspclient").mkdir(parents=True)
    shutil.copy(configurations() / "kate" / "settings.json", place)
    (home / "config" / "katerc").write_text(KATERC.format(command=commands / "llm-lsp"))
    (home / "cart.py").touch()
    (home / "run").mkdir(mode=0o700)
    variables = {"DISPLAY": shown.name, "XDG_RUNTIME_DIR": str(home / "run")}
    argv = ["dbus-run-session", "--", "kate", "-b", "cart.py"]
    with subprocess.Popen(
        argv, cwd=home, env={**environment(home, commands), **variables}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_kate_shows_it_and_inserts_its_first_line(tmp_path: Path) -> None:
    with (
        fixed_model("rn sum(\n        item.price for item in cart\n    )\n") as model,
        display(tmp_path) as shown,
    ):
        configure(tmp_path, SETTINGS, model.base_url)
        with kate(tmp_path, shown, recording.install(tmp_path)) as process:
            assert wait_for(lambda: recording.is_ready(tmp_path), 60)
            shown.fill("cart.py")
            shown.type(ABOVE)
            shown.press("Return")
            shown.type("retu")
            assert wait_for(lambda: b"return sum(" in (tmp_path / "said.jsonl").read_bytes())
            time.sleep(PAUSE_S)
            shown.save(PICTURES / "kate.png")
            shown.press("Return")
            shown.press("ctrl+s")
            assert wait_for(lambda: "sum(" in (tmp_path / "cart.py").read_text())
            shown.press("ctrl+q")
            process.wait(30)
    recording.keep(tmp_path, "kate")
    # Kate announces no snippets, and one line is right in every such client.
    assert (tmp_path / "cart.py").read_text() == f"{ABOVE}\n    return sum(\n"
