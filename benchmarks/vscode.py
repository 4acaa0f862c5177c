"""Measures the time from a key to ghost text painted in the real VS Code: from the cache, and from a local model.

Needs what `.ci/code-server` installs; run as `LLM_LSP_TEST_CODE_SERVER=FOLDER python -m benchmarks.vscode [MODEL]`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from llm_lsp.local.local_models import LocalPaths
from tests.editors.neovim import wait_for
from tests.editors.vscode import GHOST, PROGRAM, Window, environment, window

N_ROUNDS = 20
FIRST = 'def first(a, b):\n    """Return a plus b."""\n    return '
SETTINGS = 'provider = "local"\n[local]\nmodel = "{model}"\n'
NOUNS = ["price", "width", "count", "total", "weight", "volume", "speed", "power", "length", "height"]


def bodies() -> Iterator[str]:
    """Yield functions whose bodies are to be completed, all different."""
    for first in NOUNS:
        for second in NOUNS:
            if first != second:
                yield f'def add_{first}({first}, {second}):\n    """Return {first} plus {second}."""\n    return'


def from_model(shown: Window) -> Iterator[float]:
    """Type the last key at places that were never seen."""
    for n_round, text in zip(range(N_ROUNDS), bodies(), strict=False):
        shown.open(f"model{n_round}.py", text)
        time.sleep(1)  # What opening a file starts is not what is measured.
        yield from painted(shown, f"model{n_round}")
        # An open file's text goes with the next one's prompt, which then takes as long as it has tokens.
        shown.press("Escape", "Control+k", "w")
        (shown.folder / f"model{n_round}.py").unlink()  # The list of files shows what fits on the screen.


def from_cache(shown: Window) -> Iterator[float]:
    """Type a key, delete it and type it again, with the suggestion dismissed in between."""
    shown.open("cache.py", next(bodies()))
    shown.press("Space")
    assert wait_for(shown.ghost, 30), "nothing was suggested"
    for _ in range(N_ROUNDS):
        shown.press("Escape", "Backspace")
        time.sleep(0.5)
        shown.press("Escape")
        assert wait_for(lambda: not shown.ghost()), "the suggestion stayed"
        yield from painted(shown, "cache")


def painted(shown: Window, name: str) -> Iterator[float]:
    """Type the last key, and give the milliseconds until its suggestion is painted; nothing where none is."""
    found = shown.call("paint", "Space", GHOST)
    if found is None:
        shown.picture(f"nothing-{name}")
    else:
        yield float(found)


def give_model(home: Path, model: str) -> None:
    """Put a model that was downloaded before into a home folder."""
    (settings := home / "config" / "llm-lsp").mkdir(parents=True)
    (settings / "config.toml").write_text(SETTINGS.format(model=model))
    (cache := home / "cache" / "llm-lsp").mkdir(parents=True)
    (cache / "models").symlink_to(LocalPaths.default().models)


def end_model(variables: Mapping[str, str]) -> None:
    """End the model's server, which would wait half an hour for another editor."""
    subprocess.run([PROGRAM, "model", "stop"], env=dict(variables), check=True, capture_output=True)


@contextmanager
def editor(model: str) -> Iterator[Window]:
    """Run VS Code with the real server, which runs a model that was fetched before."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        give_model(home, model)
        with window(home, PROGRAM, {}) as shown:
            shown.open("first.py", FIRST)
            shown.press("Alt+\\")
            assert wait_for(shown.ghost, 60), "the model does not answer"
            yield shown
        end_model(environment(home))


def main() -> None:
    """Print both, in milliseconds."""
    with editor(sys.argv[1] if sys.argv[1:] else "smollm2-135m") as shown:
        for name, measure in (("model", from_model), ("cache", from_cache)):
            found = sorted(measure(shown))
            times = (
                f"p50 {statistics.median(found):.0f} ms, {found[0]:.0f} to {found[-1]:.0f}" if found else ""
            )
            print(f"{name}: {len(found)} of {N_ROUNDS} painted {times}", flush=True)


if __name__ == "__main__":
    main()
