"""Which of these tests a system can run at all."""

from __future__ import annotations

import sys

# Windows has no pseudo-terminal.
collect_ignore = ["test_vim.py", "test_emacs.py", "test_menus.py"] if sys.platform == "win32" else []
