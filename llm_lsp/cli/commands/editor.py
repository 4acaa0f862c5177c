"""`llm-lsp editor`: print, install or remove an editor's configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from llm_lsp.cli.editors import vscode_extension as extension
from llm_lsp.cli.editors.editor_files import (
    ALIASES,
    EDITORS,
    ConfigFile,
    EditorSetup,
    Placement,
    PlacementOutcome,
    configurations,
)
from llm_lsp.cli.terminal.console import say, show_line, write
from llm_lsp.errors import EditorFileError


@click.command()
@click.argument("name", required=False, type=click.Choice([*EDITORS, *ALIASES]), metavar="[NAME]")
@click.option(
    "--list", "listing", is_flag=True, help="List the supported editors and how each shows completions."
)
@click.option(
    "--install", is_flag=True, help="Write the files; never overwrites a file that llm-lsp did not write."
)
@click.option(
    "--pull",
    is_flag=True,
    help="With --install: also download a model for this machine, unless one is installed.",
)
@click.option("--undo", is_flag=True, help="Remove what --install wrote, unless it has been changed since.")
def command(name: str | None, listing: bool, install: bool, pull: bool, undo: bool) -> None:
    """Print an editor's configuration and the path where it belongs.

    The files go to standard output, notes about them to standard error.
    """
    if install and undo:
        raise click.UsageError("--install and --undo cannot be combined")
    if pull and not install:
        raise click.UsageError("--pull needs --install")
    if name is None and (install or undo):
        raise click.UsageError("name an editor, as in: llm-lsp editor neovim --install")
    if listing or name is None:
        _list()
        return
    run = _install if install else _undo if undo else _print
    try:
        is_whole = run(EDITORS[ALIASES.get(name, name)])
    except EditorFileError as exc:
        raise click.ClickException(str(exc)) from exc
    if pull:
        _pull()
    if not is_whole:
        raise click.exceptions.Exit(1)


def _list() -> None:
    for name, editor in EDITORS.items():
        show_line(f"{name:<13} {editor.title}: {editor.shows}")


def _print(editor: EditorSetup) -> bool:
    if editor.package:
        show_line(str(extension.built(configurations() / editor.package)))
        say("This editor uses an extension; run again with --install.")
        return True
    for file in editor.files:
        say(f"{editor.path(file) or file.target}:")
        write(file.content().decode())
    say(editor.then)
    return True


def _install(editor: EditorSetup) -> bool:
    """Write every file that may be written; return whether all were."""
    if editor.package:
        names = extension.install(configurations() / editor.package)
        say(f"installed: {', '.join(names)}")
        say(editor.then)
        return True
    placement = Placement.of_this_user()
    outcomes = [(file, path, placement.install(file.content(), path)) for file, path in _places(editor)]
    for _, path, outcome in outcomes:
        say(f"{outcome.value}: {path}")
    occupied = [(file, path) for file, path, outcome in outcomes if outcome is PlacementOutcome.OCCUPIED]
    for file, path in occupied:
        say(f"Add this to {path}:")
        write(file.content().decode())
    say(editor.then)
    if shutil.which("llm-lsp") is None:
        say("llm-lsp is not on your PATH, so the editor cannot start it: install it with pipx, or add a link")
    return not occupied


def _pull() -> None:
    from llm_lsp.cli.commands.model import pull_unless_here

    pull_unless_here()


def _undo(editor: EditorSetup) -> bool:
    """Remove every unchanged file; return whether all were removed."""
    if editor.package:
        say(f"removed: {', '.join(extension.uninstall())}")
        return True
    placement = Placement.of_this_user()
    outcomes = [(path, placement.remove(path)) for _, path in _places(editor)]
    for path, outcome in outcomes:
        say(f"{outcome.value}: {path}")
    return all(outcome is not PlacementOutcome.CHANGED for _, outcome in outcomes)


def _places(editor: EditorSetup) -> list[tuple[ConfigFile, Path]]:
    """Return each file with its path; raises click.ClickException if the editor reads no configuration folder."""
    placed = [(file, path) for file in editor.files if (path := editor.path(file)) is not None]
    if not placed:
        raise click.ClickException(
            f"{editor.title} reads no configuration file that could be installed. {editor.then}"
        )
    return placed
