"""Measures the time from a key to ghost text painted in the real Neovim: from the cache, and from a local model.

Run as `python -m benchmarks.neovim [MODEL]`, with a model that `llm-lsp model pull` has fetched.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.vscode import FIRST, N_ROUNDS, bodies, end_model, give_model
from tests.editors.neovim import BUNDLED, Editor, environment, running, wait_for

COMMANDS = Path(sys.executable).parent
PATIENCE_S = 60.0
# The clock runs inside Neovim, so that no round trip of this program counts: from the key until the mark stands and
# the screen is drawn, looked at each millisecond.
PRESS = """
local namespace = vim.api.nvim_get_namespaces()['llm-lsp']
local started = vim.uv.hrtime()
local timer = vim.uv.new_timer()
_G.painted_ms = nil
timer:start(0, 1, vim.schedule_wrap(function()
  if not _G.painted_ms and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, {}) > 0 then
    vim.cmd.redraw()
    _G.painted_ms = (vim.uv.hrtime() - started) / 1e6
    timer:stop()
    timer:close()
  end
end))
vim.api.nvim_input(' ')
"""


def paint(editor: Editor) -> float:
    """Press the last key of a place, and give the milliseconds until its ghost text is painted."""
    editor.nvim.lua(PRESS)
    taken = wait_for(lambda: editor.nvim.lua("return _G.painted_ms"), PATIENCE_S)
    assert taken, "nothing was suggested"
    return float(taken)


def from_model(editor: Editor, folder: Path) -> Iterator[float]:
    """Type the last key at places that were never seen."""
    for n_round, text in zip(range(N_ROUNDS), bodies(), strict=False):
        editor.open(folder / f"model{n_round}.py", f"{text}‸")
        time.sleep(1)  # What opening a file starts is not what is measured.
        yield paint(editor)


def from_cache(editor: Editor, folder: Path) -> Iterator[float]:
    """Dismiss the suggestion, delete the key and type it again."""
    text = next(bodies())
    editor.open(folder / "cache.py", f"{text}‸")
    paint(editor)
    for _ in range(N_ROUNDS):
        # Once only: where nothing is shown the key means what it means to Neovim, and changes the text.
        editor.type("<M-e><BS>")
        time.sleep(0.5)
        assert not editor.ghost(), "the suggestion stayed"
        yield paint(editor)
        assert editor.text() == f"{text} ‸", "that was another place"


@contextmanager
def connected(model: str) -> Iterator[tuple[Editor, Path]]:
    """Run Neovim with the real server, which runs a model that was fetched before; give the folder for files too."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        give_model(home, model)
        with running(BUNDLED, home, COMMANDS) as editor:
            yield editor, home
        end_model(environment(home, COMMANDS))


def main() -> None:
    """Print both, in milliseconds."""
    with connected(sys.argv[1] if sys.argv[1:] else "smollm2-135m") as (editor, folder):
        editor.open(folder / "first.py", f"{FIRST}‸")
        editor.type("<M-r>")
        assert wait_for(editor.ghost, PATIENCE_S), "the model does not answer"
        for name, measure in (("model", from_model), ("cache", from_cache)):
            found = sorted(measure(editor, folder))
            print(f"{name}: p50 {statistics.median(found):.0f} ms, {found[0]:.0f} to {found[-1]:.0f}")


if __name__ == "__main__":
    main()
