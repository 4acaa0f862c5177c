"""The program's entry; knows only where to hand over."""

import os
import sys


def main() -> None:
    """Run the command line."""
    forget_the_current_folder()
    from llm_lsp.cli.main import main as run

    run()


def forget_the_current_folder() -> None:
    """Import nothing from the folder that an editor works in, which may be a stranger's repository.

    `python -m` puts it first; `python -P -m`, and the program `llm-lsp`, do not.
    """
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


if __name__ == "__main__":
    main()
