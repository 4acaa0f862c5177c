"""Emacs packages that are not part of Emacs, from the folder that `.ci/sid-editors` unpacks."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ.get("LLM_LSP_TEST_ELPA", "/nowhere"))
MISSING = "not among the packages in LLM_LSP_TEST_ELPA, which .ci/sid-editors unpacks"
INIT = f"""
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil)
(setq warning-minimum-level :emergency)
(setq package-directory-list '("{FOLDER}" "/usr/share/emacs/site-lisp/elpa"))
(package-initialize)
"""


def has(name: str) -> bool:
    """Whether a package whose folder begins like this is there."""
    return any(FOLDER.glob(f"{name}*"))
