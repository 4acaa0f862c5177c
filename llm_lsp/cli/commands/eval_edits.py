"""`llm-lsp eval --edits`: measure how many next edits would have been right in a repository's git history."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from llm_lsp.cli.files.settings_files import read_settings, user_state_folder
from llm_lsp.cli.terminal.console import ConsoleClient, show_json, show_line
from llm_lsp.cli.terminal.progress_bars import counting_bar
from llm_lsp.cli.terminal.table import print_table
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.edits.predict import UNASKED
from llm_lsp.core.request import Trigger
from llm_lsp.engine.models.registry import exclusion_of
from llm_lsp.errors import GitError
from llm_lsp.evaluation.corpus.commit_history import CommitChange, commit_changes
from llm_lsp.evaluation.corpus.git_repository import GitRepository
from llm_lsp.evaluation.corpus.repository import Repository
from llm_lsp.evaluation.edits.model_predictor import ModelPredictor
from llm_lsp.evaluation.edits.number_format import COLUMNS, CURVE_COLUMNS, cells, curve_cells
from llm_lsp.evaluation.edits.page import page
from llm_lsp.evaluation.edits.recorded_answers import RecordedAnswers
from llm_lsp.evaluation.edits.results import EditReport, EditResult
from llm_lsp.evaluation.edits.run import RulePredictor, result_of, run
from llm_lsp.evaluation.edits.states import states
from llm_lsp.evaluation.runs.call_probe import CallProbe
from llm_lsp.system import private_folder


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
    varied: tuple[str, ...] = ()
    """Values of settings that are measured side by side, with the models that they name."""


def measure_edits(options: EditsOptions) -> None:
    """Measure and print the results; raises ClickException if the history has nothing to measure."""
    commits = list(_commits(options))
    if not commits:
        raise nothing_changed(options.root, options.commits)
    if options.varied:
        _measure_variants(options, commits)
        return
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


def _measure_variants(options: EditsOptions, commits: Sequence[CommitChange]) -> None:
    """Measure each variant with its model, and print the results."""
    from llm_lsp.cli.vary_option import variants

    stack = read_settings(options.config_file, [options.root])
    answers = RecordedAnswers(answers_file(options.root))
    reports: list[tuple[str, EditReport]] = []
    for variant in variants(stack, options.varied, Trigger.MANUAL):
        results = asyncio.run(_measured(options, variant.stack, commits, answers))
        report = EditReport(options.root.name, len(commits), options.seed, UNASKED, results)
        reports.append((variant.name, report))
    if options.as_json:
        show_json([{"variant": name, **report.as_mapping()} for name, report in reports])
        return
    for name, report in reports:
        show_line(name)
        _show(report)


async def _measured(
    options: EditsOptions, stack: SettingsStack, commits: Sequence[CommitChange], answers: RecordedAnswers
) -> list[EditResult]:
    from llm_lsp.cli.wiring import build_engine

    probe = CallProbe(time.monotonic)
    engine = build_engine(
        stack, ConsoleClient(), lambda finder: probe.in_front_of(answers.in_front_of(finder))
    )
    engine.set_folders((options.root.as_uri(),))
    predictor = ModelPredictor(engine, probe, options.root.as_uri(), time.monotonic)
    results: list[EditResult] = []
    try:
        with counting_bar("commits", len(commits)) as count:
            for commit in commits:
                for state in states(commit, options.seed):
                    results.append(result_of(state, *await predictor.predict(state)))
                count()
    finally:
        await engine.aclose()
    return results


def answers_file(root: Path) -> Path:
    """Return the file of all answers for a folder. It contains code, so only its user can read it."""
    folder = private_folder(user_state_folder() / "eval")
    digest = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return folder / f"{root.name}-{digest}-edits.jsonl"


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
