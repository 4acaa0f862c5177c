"""`llm-lsp eval --edits`: measure how many next edits would have been right in a repository's git history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.terminal.console import show_json, show_line
from llm_lsp.cli.terminal.progress_bars import counting_bar
from llm_lsp.cli.terminal.table import print_table
from llm_lsp.core.edits.predict import UNASKED
from llm_lsp.engine.models.registry import exclusion_of
from llm_lsp.errors import GitError
from llm_lsp.evaluation.corpus.commit_history import CommitChange, commit_changes
from llm_lsp.evaluation.corpus.git_repository import GitRepository
from llm_lsp.evaluation.corpus.repository import Repository
from llm_lsp.evaluation.edits.number_format import COLUMNS, CURVE_COLUMNS, cells, curve_cells
from llm_lsp.evaluation.edits.page import page
from llm_lsp.evaluation.edits.results import EditReport, EditResult
from llm_lsp.evaluation.edits.run import RulePredictor, run


@dataclass(frozen=True, slots=True)
class EditsOptions:
    """The command line's options."""

    root: Path
    commits: int
    seed: int
    languages: tuple[str, ...]
    html: Path | None
    config_file: Path | None
    as_json: bool


def measure_edits(options: EditsOptions) -> None:
    """Measure and print the results; raises ClickException if the history has nothing to measure."""
    commits = list(_commits(options))
    if not commits:
        raise nothing_changed(options.root, options.commits)
    results: list[EditResult] = []
    with counting_bar("commits", len(commits)) as count:
        for commit in commits:
            results += run([commit], options.seed, RulePredictor())
            count()
    report = EditReport(options.root.name, len(commits), options.seed, UNASKED, results)
    if options.html:
        options.html.write_text(page(report), encoding="utf-8")
    if options.as_json:
        show_json(report.as_mapping())
    else:
        _show(report)


def _commits(options: EditsOptions) -> Iterator[CommitChange]:
    config = read_settings(options.config_file, [options.root]).resolve().config
    excluded = exclusion_of(config.privacy, (options.root.as_uri(),))
    return commits_of(Repository(options.root, excluded, options.languages), options.commits)


def commits_of(files: Repository, limit: int) -> Iterator[CommitChange]:
    """Yield the changes of the newest commits to a folder's source files; raises ClickException if git fails."""
    try:
        yield from commit_changes(GitRepository(files.root), files.may_measure, limit)
    except GitError as exc:
        raise click.ClickException(str(exc)) from exc


def nothing_changed(root: Path, commits: int) -> click.ClickException:
    """Return the error for a history without anything to measure."""
    return click.ClickException(
        f"none of the last {commits} commits of {root} makes a few small changes to source files; "
        "if this is a shallow clone, fetch its history: git fetch --unshallow"
    )


def _show(report: EditReport) -> None:
    rows = [[row.group, row.kind, *cells(row)] for row in report.rows]
    title = f"next edits in {report.repository}, shown automatically from confidence {report.threshold}"
    print_table(("states", "kind", *COLUMNS), rows, COLUMNS, title)
    show_line()
    curve = [curve_cells(point) for point in report.curve]
    print_table(CURVE_COLUMNS, curve, CURVE_COLUMNS, "what each confidence threshold would show")
