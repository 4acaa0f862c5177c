"""Which of these tests a system can run at all."""

from __future__ import annotations

import sys

# Windows has no pseudo-terminal.
IN_A_TERMINAL = ["test_vim.py", "test_emacs.py", "test_kate.py", "test_menus.py", "test_ghosts_end_to_end.py"]
collect_ignore = IN_A_TERMINAL if sys.platform == "win32" else []
