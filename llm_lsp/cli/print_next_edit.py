"""`llm-lsp complete --next-edit`: print the edit that follows from what was changed since the last commit."""

from __future__ import annotations

import asyncio
from difflib import SequenceMatcher
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import click

from llm_lsp.cli.completion_target import CompletionTarget
from llm_lsp.cli.running_engine import running
from llm_lsp.cli.terminal.console import ConsoleClient, show_json, write
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.edits.next_edit import EditRequest, NextEdit, OfferedEdit
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.engine.context.source_files import decode
from llm_lsp.engine.engine import CompletionEngine
from llm_lsp.errors import GitError
from llm_lsp.evaluation.corpus.git_repository import GitRepository

# Lines around a printed edit.
AROUND_LINES = 3


def print_next_edit(
    stack: SettingsStack, target: CompletionTarget, *, show_prompt: bool, as_json: bool
) -> None:
    """Print the next edit, or what a model would be asked for one; raises click.ClickException if there is none."""
    before = _committed(target.document)
    asyncio.run(_print(stack, target, before, show_prompt=show_prompt, as_json=as_json))


def _committed(document: Document) -> Text:
    """Return the document as it was committed; raises click.ClickException if it was not, or is unchanged."""
    if not document.uri.startswith("file:"):
        raise click.ClickException("--next-edit needs a file, whose last commit shows what you changed")
    path = Path(url2pathname(unquote(urlsplit(document.uri).path)))
    try:
        content = GitRepository(path.parent).committed(path.name)
    except GitError as exc:
        raise click.ClickException(str(exc)) from exc
    text = decode(content) if content is not None else None
    if text is None:
        raise click.ClickException(f"{path.name} is in no commit, so nothing shows what you changed")
    if text == str(document.text):
        raise click.ClickException(f"{path.name} is as it was committed; a next edit follows from a change")
    return Text.of(text)


async def _print(
    stack: SettingsStack, target: CompletionTarget, before: Text, *, show_prompt: bool, as_json: bool
) -> None:
    from llm_lsp.cli.show_prompt import print_plain, question_mapping

    async with running(stack, ConsoleClient()) as engine:
        request = _replayed(engine, target, before)
        found = await (engine.edits.prompt(request) if show_prompt else engine.next_edit(request))
    if isinstance(found, Skip):
        detail = f": {found.detail}" if found.detail else ""
        raise click.ClickException(f"no next edit, {found.reason.value}{detail}")
    if isinstance(found, OfferedEdit):
        if as_json:
            show_json(_mapping(found.edit), indent=None)
        else:
            write(_shown(found))
    elif as_json:
        show_json(question_mapping(found), indent=None)
    else:
        print_plain(found)


def _replayed(engine: CompletionEngine, target: CompletionTarget, before: Text) -> EditRequest:
    """Open the committed text, make the changes since, those near the position last, and return the request."""
    document = target.document
    opened = Document(document.uri, document.language, 1, before)
    engine.open(opened)
    for edit in _changes(before, document.text, target.point.line):
        opened = Document(
            opened.uri, opened.language, opened.version + 1, opened.text.edit(edit.start, edit.end, edit.text)
        )
        engine.change(opened, (edit,))
    return EditRequest(engine.next_id(), opened, target.point, Trigger.MANUAL, engine.now())


def _changes(before: Text, after: Text, line: int) -> list[Edit]:
    """Return the edits from one text to another, ordered so that the one nearest to a line is the last."""
    old, new = (text.lines(0, text.line_count) for text in (before, after))
    codes = [
        code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
    codes.sort(key=lambda code: -max(0, code[3] - line, line - code[4]))
    edits, done = list[Edit](), list[tuple[int, int]]()
    for _, first, stop, new_first, new_stop in codes:
        # Those above that were made already have moved the lines.
        moved = sum(grown for at, grown in done if at < first)
        start, end = first + moved, stop + moved
        edits.append(Edit(Point(start, 0), Point(end, 0), "".join(new[new_first:new_stop])))
        done.append((first, (new_stop - new_first) - (stop - first)))
    return edits


def _mapping(edit: NextEdit) -> dict[str, object]:
    """Return an edit as JSON fields; lines and columns count from 1."""
    start, end = ([point.line + 1, point.column + 1] for point in (edit.start, edit.end))
    return {"kind": edit.kind.value, "start": start, "end": end, "old": edit.old, "new": edit.new}


def _shown(offer: OfferedEdit) -> str:
    """Return an edit as a unified diff."""
    from difflib import unified_diff

    edit, text = offer.edit, offer.document.text
    made = text.edit(edit.start, edit.end, edit.new)
    old, new = (each.lines(0, each.line_count) for each in (text, made))
    lines = unified_diff(old, new, n=AROUND_LINES)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
