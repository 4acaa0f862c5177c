"""The Emacs package, in a real Emacs, against a language server with scripted answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_lsp.cli.placement import configurations
from tests.editors import elpa
from tests.editors.neovim import wait_for
from tests.editors.picture import save
from tests.editors.script import INLINE, Script, item
from tests.editors.terminal import Terminal, terminal

pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.skipif(shutil.which("emacs") is None, reason="no emacs on the path"),
]

PACKAGE = configurations() / "emacs" / "llm-lsp.el"
COMPANY = list(Path("/usr/share/emacs/site-lisp/elpa").glob("company-*"))
INIT = f"""{elpa.INIT}
(load (locate-user-emacs-file "llm-lsp"))
(add-hook 'text-mode-hook #'llm-lsp-mode)
(add-hook 'python-mode-hook #'llm-lsp-mode)
(setq native-comp-async-report-warnings-errors nil)
(menu-bar-mode -1)
(setq frame-background-mode 'dark)
(defun fresh (name)
  (interactive "sFile: ")
  (delete-other-windows)
  (find-file (expand-file-name name "~")))
(setq corfu-auto t corfu-auto-prefix 2)
(global-set-key (kbd "C-c f") #'fresh)
(global-set-key (kbd "C-c c") #'completion-at-point)
(add-hook 'llm-lsp-mode-hook
          (lambda () (add-hook 'completion-at-point-functions #'llm-lsp-completion-at-point nil t)))
"""
BODY = "de(\n    1, 2\n)"
MORE = "\n\ndef mean(cart):\n    return total(cart) / len(cart)"


@dataclass(frozen=True, slots=True)
class Emacs:
    """A running Emacs, in an empty file, and its scripted server."""

    terminal: Terminal
    script: Script

    def open(self, name: str) -> None:
        """Open a new file."""
        self.terminal.type("C-c", "f", name, "Enter")
        self.terminal.wait(lambda rows: name in rows[-2] and not any(rows[:-2]))

    def expect(self, text: str) -> None:
        """Wait until this is what a user sees of the file, ghost text included."""
        self.terminal.wait(lambda rows: "\n".join(rows[:-2]).rstrip("\n") == text)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emacs]:
    """One Emacs for all tests of this module."""
    home = tmp_path_factory.mktemp("emacs")
    (script := Script(home)).install()
    (settings := home / ".emacs.d").mkdir()
    shutil.copy(PACKAGE, settings)
    (settings / "init.el").write_text(INIT)
    with terminal(["emacs", "-nw"], home, script.commands) as shown:
        shown.wait_for("*scratch*")
        yield Emacs(shown, script)


@pytest.fixture
def emacs(running: Emacs) -> Emacs:
    n_files = len(list(running.script.folder.glob("*.txt")))
    (running.script.folder / f"{n_files}.txt").touch()
    running.script.answer()
    running.open(f"{n_files}.txt")
    running.script.forget()
    return running


@pytest.mark.parametrize(
    ("typed", "answer", "seen", "keys", "after"),
    [
        pytest.param(["abc"], item(BODY), "abcde(\n    1, 2\n)", ["Tab"], "abcde(\n    1, 2\n)‸", id="lines"),
        pytest.param(
            ["abc"], item(BODY), "abcde(\n    1, 2\n)", ["C-e"], "abcde(‸\n    1, 2\n)", id="a line"
        ),
        pytest.param(["x ="], item(" one.two"), "x = one.two", ["M-f", "M-f"], "x = one.‸two", id="words"),
        pytest.param(
            ["pri"], item("print(x)", (0, 3)), "print(x)", ["Tab"], "print(x)‸", id="from its start"
        ),
        pytest.param([")", "Left", "f("], item("a, b)", (2, 3)), "f(a, b)", ["Tab"], "f(a, b)‸", id="over )"),
        pytest.param(["ab"], item("xyz", (0, 2)), "ab", [], "ab‸", id="another word"),
        pytest.param(["ab"], item("cd"), "abcd", ["C-g"], "ab‸", id="dismissed"),
        pytest.param(["ab"], item("cd\nef"), "abcd\nef", ["C-c", "c"], "abcd‸\nef", id="completion at point"),
    ],
)
def test_an_answer_is_seen_and_accepted(
    emacs: Emacs, typed: list[str], answer: dict[str, Any], seen: str, keys: list[str], after: str
) -> None:
    emacs.script.answer(**{typed[-1]: {"items": [answer]}})
    emacs.terminal.type(*typed)
    emacs.expect(seen)
    emacs.terminal.type(*keys)
    emacs.expect(after.replace("‸", ""))
    emacs.terminal.type("C-a")  # takes the ghost away, so that the text alone is left
    emacs.expect(after.split("‸")[0])


def test_typing_along_keeps_the_text_and_asks_nothing(emacs: Emacs) -> None:
    emacs.script.answer(ab={"items": [item("cdef")]})
    emacs.terminal.type("ab")
    emacs.expect("abcdef")
    n_asked = len(emacs.script.sent(INLINE))
    for key in ("c", "d", "Backspace", "Backspace", "c"):
        emacs.terminal.type(key)
        emacs.expect("abcdef")
    assert len(emacs.script.sent(INLINE)) == n_asked


def test_next_and_previous_go_through_the_answers_and_then_ask(emacs: Emacs) -> None:
    emacs.script.answer(**{"n": {"items": [item("1"), item("2")]}, "n?": {"items": [item("3")]}})
    emacs.terminal.type("n")
    emacs.expect("n1")
    for key, seen in (("M-n", "n2"), ("M-p", "n1"), ("M-n", "n2"), ("M-n", "n3")):
        emacs.terminal.type(key)
        emacs.expect(seen)
    assert [params["context"]["triggerKind"] for params in emacs.script.sent(INLINE)][-2:] == [2, 1]


def test_accepting_is_one_undo_step_and_is_reported_once(emacs: Emacs) -> None:
    emacs.script.answer(ab={"items": [item("c\nd", command="id-7")]})
    emacs.terminal.type("ab")
    emacs.expect("abc\nd")
    emacs.terminal.type("Tab")
    assert wait_for(lambda: emacs.script.sent("workspace/executeCommand"))
    emacs.script.answer()
    emacs.terminal.type("C-_")
    emacs.expect("ab")
    assert [call["arguments"] for call in emacs.script.sent("workspace/executeCommand")] == [["id-7"]]


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        pytest.param(["llm-lsp-toggle"], ("llm-lsp.toggle", []), id="toggle"),
        pytest.param(["llm-lsp-snooze", "5"], ("llm-lsp.snooze", [5]), id="snooze"),
        pytest.param(["llm-lsp-select-provider", "big"], ("llm-lsp.selectProvider", ["big"]), id="provider"),
    ],
)
def test_a_command_reaches_the_server(
    emacs: Emacs, command: list[str], sent: tuple[str, list[object]]
) -> None:
    emacs.terminal.type("M-x", *(part for word in command for part in (word, "Enter")))
    assert wait_for(lambda: emacs.script.sent("workspace/executeCommand"))
    [call] = emacs.script.sent("workspace/executeCommand")
    assert (call["command"], call["arguments"]) == sent


@pytest.mark.skipif(not elpa.has("corfu-terminal"), reason=elpa.MISSING)
def test_corfu_offers_the_line_in_its_menu(emacs: Emacs) -> None:
    emacs.script.answer(a={"items": [item("bcd\nef")]})
    emacs.terminal.type("M-x", "corfu-terminal-mode", "Enter", "M-x", "corfu-mode", "Enter", "a")
    emacs.expect("abcd\nef")
    emacs.terminal.type("b")  # corfu opens by itself, where it has something at the second letter
    emacs.terminal.wait_for("abcd\nef\n abcd    llm-lsp")
    emacs.terminal.type("Enter", "C-a")
    emacs.expect("abcd")


@pytest.mark.skipif(not COMPANY, reason="no company in Emacs' packages: apt install elpa-company")
def test_company_offers_the_line_in_its_menu(emacs: Emacs) -> None:
    emacs.script.answer(ab={"items": [item("cd\nef")]})
    emacs.terminal.type("M-x", "company-mode", "Enter", "ab")
    emacs.expect("abcd\nef")
    emacs.terminal.type("M-x", "company-complete", "Enter")
    emacs.expect("abcd\nef")
    emacs.script.answer()
    emacs.terminal.type("C-a")
    emacs.expect("abcd")


def test_an_explanation_opens_beside_the_text(emacs: Emacs) -> None:
    emacs.script.answer(commands={"llm-lsp.explain": "shown: no\nbecause"})
    emacs.terminal.type("M-x", "llm-lsp-explain", "Enter")
    emacs.terminal.wait_for("shown: no\nbecause")


def test_a_picture_is_made(emacs: Emacs) -> None:
    emacs.script.answer(**{"    return ": {"items": [item("sum(item.price for item in cart)\n" + MORE)]}})
    emacs.open("cart.py")
    emacs.terminal.type("def total(cart):", "Enter", "return ")
    emacs.expect("def total(cart):\n    return sum(item.price for item in cart)\n" + MORE)
    save(emacs.terminal.screen, "emacs")


def test_the_package_compiles_without_a_warning(tmp_path: Path) -> None:
    copy = shutil.copy(PACKAGE, tmp_path)
    compile_it = "(setq byte-compile-error-on-warn t)"
    argv = ["emacs", "-Q", "--batch", "--eval", compile_it, "-f", "batch-byte-compile", str(copy)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
