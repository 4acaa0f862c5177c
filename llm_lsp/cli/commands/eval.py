"""`llm-lsp eval`: measure which models and settings complete a repository best, and at what cost."""

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
from llm_lsp.evaluation.corpus.hole_places import KINDS, Kind
from llm_lsp.evaluation.corpus.hole_selection import Hole, draw
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

# Default number of commits: predicting next edits takes milliseconds, completions need model calls.
EDIT_COMMITS, LINE_COMMITS = 500, 50
# With a model for next edits, each state that the rules leave is a call.
MODEL_EDIT_COMMITS = 20


def names(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Parse a comma-separated list of names."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def kinds_named(ctx: click.Context, param: click.Parameter, value: str) -> tuple[Kind, ...]:
    """Parse kinds of holes; return them in the order in which they are measured."""
    named = names(ctx, param, value)
    if not named or not set(named) <= set(KINDS):
        raise click.BadParameter(f"choose from {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in named)


def place_of_report(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Reject a report path in a missing folder before measuring, which can take an hour."""
    if value and not value.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}")
    return value


@click.command()
@click.argument(
    "root", metavar="PATH", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False
)
@click.option(
    "--holes",
    "count",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Number of holes to fill.",
)
@click.option("--seed", default=1, show_default=True, help="Random seed for drawing the holes.")
@click.option(
    "--kinds",
    callback=kinds_named,
    default=",".join(KINDS),
    metavar="NAMES",
    show_default=True,
    help="Kinds of holes to cut.",
)
@click.option(
    "--languages",
    callback=names,
    default="",
    metavar="NAMES",
    help="LSP language identifiers; by default all source files.",
)
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="KEY=A,B",
    help="Measure these values of a setting side by side; can be repeated.",
)
@click.option(
    "--trigger",
    type=click.Choice(["automatic", "manual"]),
    default="automatic",
    show_default=True,
    help="Request completions as an editor does while typing, or as a user does explicitly.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=place_of_report,
    help="Write an HTML report with plots to this file.",
)
@click.option(
    "--edits",
    is_flag=True,
    help="Measure next edits on the git history of PATH, by default the current folder.",
)
@click.option(
    "--from-git", is_flag=True, help="Measure completion of the lines that the newest commits added."
)
@click.option(
    "--commits",
    type=click.IntRange(1),
    help="Number of newest commits to use: by default 500 with --edits (20 with --vary), 50 with --from-git.",
)
@click.option("--fresh", is_flag=True, help="Discard the results of earlier runs on PATH.")
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

    Cuts holes into the files, one at a time, and has them completed as in an editor, with the rest of PATH as
    context. The code goes to the provider in your settings. An interrupted run continues where it stopped.

    With --from-git, retypes the lines that the newest commits added, each in its file as it was then.
    With --edits, repeats the changes of git commits one by one and predicts each before it is made. This uses no
    model, so nothing is sent, unless --vary names one: --vary edits.provider=A,B measures its next edits, too.
    Its answers are stored, so that a second run asks only what is new.
    """
    if edits and from_git:
        raise click.UsageError("--edits and --from-git cannot be combined; run them one after the other")
    if root is None and not (edits or from_git):
        raise click.UsageError("Missing argument 'PATH'.")
    root = (root or Path()).resolve()
    if edits:
        measure_edits(
            EditsOptions(
                root,
                commits or (MODEL_EDIT_COMMITS if varied else EDIT_COMMITS),
                seed,
                languages,
                html,
                config_file,
                as_json,
                varied,
            )
        )
        return
    stack = read_settings(config_file, [root])
    measured = variants(stack, varied, Trigger(trigger))
    files = Repository(root, exclusion_of(stack.resolve().config.privacy, (root.as_uri(),)), languages)
    added = added_lines(files, commits or LINE_COMMITS, seed) if from_git else []
    holes = added[:count] if from_git else cut_holes(files, count, seed, kinds)
    report = evaluate(root, measured, holes, fresh=fresh, n_added=len(added))
    if html:
        html.write_text(page(report), encoding="utf-8")
    show(report, as_json=as_json)


def added_lines(files: Repository, commits: int, seed: int) -> list[Hole]:
    """Return all lines that the newest commits added, in random order; raises ClickException if there are none."""
    holes = drawn_lines(commits_of(files, commits), seed)
    if not holes:
        raise nothing_changed(files.root, commits)
    return holes


def cut_holes(files: Repository, count: int, seed: int, kinds: tuple[Kind, ...]) -> list[Hole]:
    """Return at most `count` holes in random order; raises ClickException if no file has one."""
    holes = list(islice(draw(files.paths(), files.read, seed, kinds), count))
    if holes:
        return holes
    if files.is_ignored_as_a_whole:
        raise click.ClickException(
            f"{files.root} is ignored by the repository that contains it; measure a copy outside of it"
        )
    what = f"files in {', '.join(files.languages)}" if files.languages else "files"
    raise click.ClickException(
        f"{files.root} has no {what} to measure; ignored, excluded and generated files do not count"
    )


def evaluate(
    root: Path, measured: Sequence[Variant], holes: Sequence[Hole], *, fresh: bool, n_added: int
) -> EvaluationReport:
    """Measure what earlier runs have not, and report everything measured about these holes."""
    file = result_file(root)
    if fresh:
        file.clear()
    known = file.read()
    try:
        faults = asyncio.run(measure(root, measured, holes, file, known))
    except KeyboardInterrupt:
        faults = ["interrupted; run the same command again to continue"]
    results = [known[one.key, hole.id] for one in measured for hole in holes if (one.key, hole.id) in known]
    return EvaluationReport(root.name, {one.key: one.name for one in measured}, results, faults, n_added)


def show(report: EvaluationReport, *, as_json: bool) -> None:
    """Print the results; exits with 1 if some could not be measured."""
    if as_json:
        show_json(report.as_mapping())
    elif report.rows:
        show_figures(report)
    for fault in report.faults:
        say(f"error: {fault}", fg="red")
    if report.faults:
        raise SystemExit(1)


def show_figures(report: EvaluationReport) -> None:
    """Print a table of all variants by language and kind, and each variant's comparison with the first."""
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
        show_line(f"{failed} holes got no answer because of errors; the next run tries them again")


async def measure(
    root: Path, measured: Sequence[Variant], holes: Sequence[Hole], file: ResultFile, known: Known
) -> list[str]:
    """Measure the holes without a known result, and store the results; return an error for each abandoned
    variant.
    """
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
    """Return the file of all results measured on a folder. It contains code, so only its user can read it."""
    folder = private_folder(user_state_folder() / "eval")
    digest = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return ResultFile(folder / f"{root.name}-{digest}.jsonl")
