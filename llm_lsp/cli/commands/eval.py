"""`llm-lsp eval`: which model and which settings complete a repository best, and at what cost."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from itertools import groupby, islice
from pathlib import Path

import click

from llm_lsp.cli.commands.eval_edits import EditsOptions, commits_of, measure_edits, nothing_changed
from llm_lsp.cli.files.settings_files import read_settings, user_state_folder
from llm_lsp.cli.terminal.console import ConsoleClient, say, show_json, show_line
from llm_lsp.cli.terminal.options import config_option, json_option
from llm_lsp.cli.terminal.progress_bars import counting_bar
from llm_lsp.cli.terminal.table import print_table
from llm_lsp.cli.vary_option import variants
from llm_lsp.cli.wiring import build_engine
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.request import Trigger
from llm_lsp.engine.engine import CompletionEngine
from llm_lsp.engine.models.registry import exclusion_of
from llm_lsp.evaluation.corpus.cuts import KINDS, Kind
from llm_lsp.evaluation.corpus.holes import Hole, draw
from llm_lsp.evaluation.corpus.repository import Repository
from llm_lsp.evaluation.corpus.typed_lines import drawn_lines
from llm_lsp.evaluation.report.html_page import page
from llm_lsp.evaluation.report.number_format import COLUMNS, cells, sentence
from llm_lsp.evaluation.report.results import HoleResult, Known, ResultFile
from llm_lsp.evaluation.report.summary import ALL, EvaluationReport
from llm_lsp.evaluation.runs.call_probe import CallProbe
from llm_lsp.evaluation.runs.hole_queue import HoleWork, run
from llm_lsp.evaluation.runs.hole_runner import HoleBench
from llm_lsp.evaluation.runs.variants import Variant
from llm_lsp.system import private_folder

# Commits that are looked at: next edits are predicted in milliseconds, completions are asked for.
EDIT_COMMITS, LINE_COMMITS = 500, 50


def names(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read a list of names with commas between."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def kinds_named(ctx: click.Context, param: click.Parameter, value: str) -> tuple[Kind, ...]:
    """Read kinds of holes, in the order in which they are measured."""
    named = names(ctx, param, value)
    if not named or not set(named) <= set(KINDS):
        raise click.BadParameter(f"choose among {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in named)


def place_of_report(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a place that nothing can be written to, before an hour of measuring."""
    if value and not value.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}")
    return value


@click.command()
@click.argument(
    "root", metavar="PATH", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False
)
@click.option(
    "--holes", "count", type=click.IntRange(1), default=100, show_default=True, help="Holes to fill."
)
@click.option("--seed", default=1, show_default=True, help="Draws the holes: the same seed, the same holes.")
@click.option(
    "--kinds",
    callback=kinds_named,
    default=",".join(KINDS),
    metavar="NAMES",
    show_default=True,
    help="Kinds of holes.",
)
@click.option(
    "--languages",
    callback=names,
    default="",
    metavar="NAMES",
    help="LSP language identifiers; by default all code.",
)
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="KEY=A,B",
    help="Measure these values of a setting side by side; may be given several times.",
)
@click.option(
    "--trigger",
    type=click.Choice(["automatic", "manual"]),
    default="automatic",
    show_default=True,
    help="Ask as an editor does while typing, or as its user does by hand.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=place_of_report,
    help="Write a report with plots.",
)
@click.option(
    "--edits", is_flag=True, help="Measure next edits on the git history of PATH, or of this folder."
)
@click.option(
    "--from-git", is_flag=True, help="Measure completion on the lines that the newest commits added."
)
@click.option(
    "--commits",
    type=click.IntRange(1),
    help="Newest commits that are looked at: 500 with --edits, 50 with --from-git, if not set.",
)
@click.option("--fresh", is_flag=True, help="Forget what earlier runs on PATH have measured.")
@config_option
@json_option
def command(
    root: Path | None,
    count: int,
    seed: int,
    kinds: tuple[Kind, ...],
    languages: tuple[str, ...],
    varied: tuple[str, ...],
    trigger: str,
    html: Path | None,
    edits: bool,
    from_git: bool,
    commits: int | None,
    fresh: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Measure completion on the source files of PATH.

    Holes are cut into its files, one at a time, and filled as in an editor; the rest of PATH stays as context.
    The code goes to the provider that your settings name. A run that was interrupted goes on where it stopped.

    With --from-git, the lines that the newest commits added are typed again instead, each in its file as it then was.
    With --edits, the changes of git commits are made again one by one, and each next one is predicted before it is
    made: without a model, so that nothing is sent.
    """
    if edits and from_git:
        raise click.UsageError(
            "--edits and --from-git measure different things; run them one after the other."
        )
    if root is None and not (edits or from_git):
        raise click.UsageError("Missing argument 'PATH'.")
    root = (root or Path()).resolve()
    if edits:
        measure_edits(
            EditsOptions(root, commits or EDIT_COMMITS, seed, languages, html, config_file, as_json)
        )
        return
    stack = read_settings(config_file, [root])
    measured = variants(stack, varied, Trigger(trigger))
    excluded = exclusion_of(stack.resolve().config.privacy, (root.as_uri(),))
    files = Repository(root, excluded, languages)
    if from_git:
        added = added_lines(files, commits or LINE_COMMITS, seed)
        holes = added[:count]
    else:
        added = []
        holes = list(islice(draw(files.paths(), files.read, seed, kinds), count))
        if not holes:
            raise nothing_to_cut(files, languages)
    file = result_file(root)
    if fresh:
        file.clear()
    known = file.read()
    try:
        faults = asyncio.run(measure(root, measured, holes, file, known))
    except KeyboardInterrupt:
        faults = ["interrupted; the same command goes on where it stopped"]
    results = [known[one.key, hole.id] for one in measured for hole in holes if (one.key, hole.id) in known]
    report = EvaluationReport(root.name, {one.key: one.name for one in measured}, results, faults, len(added))
    if html:
        html.write_text(page(report), encoding="utf-8")
    show(report, as_json=as_json)


def added_lines(files: Repository, commits: int, seed: int) -> list[Hole]:
    """Return all lines that the newest commits added, as holes in a drawn order."""
    holes = drawn_lines(commits_of(files, commits), seed)
    if not holes:
        raise nothing_changed(files.root, commits)
    return holes


def nothing_to_cut(files: Repository, languages: Sequence[str]) -> click.ClickException:
    """Say that a folder has no holes to fill, and what was left out."""
    if files.is_ignored_as_a_whole:
        return click.ClickException(
            f"{files.root} is ignored by the project around it; measure a copy of it that stands elsewhere"
        )
    what = f"the {', '.join(languages)}" if languages else "what is"
    return click.ClickException(
        f"no holes can be cut into {what} in {files.root}; ignored, excluded and generated files are left out"
    )


def show(report: EvaluationReport, *, as_json: bool) -> None:
    """Print what was measured; exits with 1 where something was not."""
    if as_json:
        show_json(report.as_mapping())
    elif report.rows:
        show_figures(report)
    for fault in report.faults:
        say(f"error: {fault}", fg="red")
    if report.faults:
        raise SystemExit(1)


def show_figures(report: EvaluationReport) -> None:
    """Print a table of all variants by language and kind, and how they did against the first."""
    rows: list[list[str]] = []
    for _, group in groupby(report.rows, lambda row: (row.language, row.kind)):
        if rows and len(report.names) > 1:
            rows.append([])
        rows += [[row.language, row.kind, row.variant, *cells(row)] for row in group]
    title = f"completion in {report.repository}"
    print_table(("language", "kind", "variant", *COLUMNS), rows, COLUMNS, title)
    for share in report.typed:
        show_line(share.sentence)
    for duel in report.duels:
        show_line(sentence(duel, next(iter(report.names.values()))))
    failed = sum(row.failed for row in report.rows if (row.language, row.kind) == (ALL, ALL))
    if failed:
        show_line(f"{failed} holes could not be asked for; the next run tries them again")


async def measure(
    root: Path, measured: Sequence[Variant], holes: Sequence[Hole], file: ResultFile, known: Known
) -> list[str]:
    """Fill what is not known yet, and add it; gives a line for each variant that was given up."""
    client = ConsoleClient()

    def build(stack: SettingsStack) -> tuple[CompletionEngine, CallProbe]:
        probe = CallProbe(time.monotonic)
        return build_engine(stack, client, probe.in_front_of), probe

    works = [
        HoleWork(one, tuple(hole for hole in holes if (one.key, hole.id) not in known)) for one in measured
    ]
    with counting_bar("holes", sum(len(work.holes) for work in works)) as count:

        def done(result: HoleResult) -> None:
            file.add(result)
            known[result.variant, result.hole] = result
            count()

        answers = {result.asked: result for result in known.values() if result.asked}
        return await run(works, HoleBench(root, build, answers), done)


def result_file(root: Path) -> ResultFile:
    """Give the file with all that was ever measured on a folder; it holds code, and is its user's alone."""
    folder = private_folder(user_state_folder() / "eval")
    digest = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return ResultFile(folder / f"{root.name}-{digest}.jsonl")
