"""`llm-lsp model`: download, list, run and remove models on this machine."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_lsp import system
from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.terminal.console import say, show_json
from llm_lsp.cli.terminal.options import json_option
from llm_lsp.cli.terminal.table import print_table
from llm_lsp.config.settings import LocalConfig
from llm_lsp.core.privacy.secret import Secret, clean_key
from llm_lsp.errors import ConfigError, DownloadError, LlmLspError, LocalModelError, NoAnswerError
from llm_lsp.local import catalogue
from llm_lsp.local.local_models import LocalModels, LocalPaths
from llm_lsp.local.machine_info import this_machine
from llm_lsp.local.model_store import LocalModel

if TYPE_CHECKING:
    from llm_lsp.local.server_state import ServerState

KEY_VARIABLE = "LLM_LSP_SERVE_KEY"


@click.group()
def command() -> None:
    """Download, list, run and remove models on this machine.

    NAME is a name from `model list`, or the path of any GGUF file.
    """


@command.command()
@click.argument("name", required=False)
def pull(name: str | None) -> None:
    """Download a model to this machine.

    Without NAME, downloads the best model that fits this machine's memory and cores, can be reached, and has a
    licence that allows any use. Afterwards measures which number of threads runs it fastest.
    """
    _bring(local_models(), name)


def pull_unless_here() -> None:
    """Download the best model for this machine unless one is installed; raises LlmLspError."""
    models = local_models()
    if best := models.best():
        say(f"{best.name} is in {best.path}")
        if best.entry:
            say(_better(best.entry))
    else:
        _bring(models, None)


def _bring(models: LocalModels, name: str | None) -> None:
    model = _pull_named(models, name) if name else _pull_best(models)
    say(f"{model.name} is in {model.path}")
    if model.entry:
        say(f"{model.entry.licence}; {model.entry.note}")
        if model.entry in catalogue.MODELS:
            say(_better(model.entry))
    _measure(models, model)


def _pull_named(models: LocalModels, name: str) -> LocalModel:
    model = catalogue.find(name)
    if model is None:
        known = ", ".join(model.name for model in (*catalogue.MODELS, *catalogue.EDIT_MODELS))
        raise LocalModelError(f"no model {name} in the catalogue; choose one of {known}")
    if not model.for_any_use:
        say(f"note: {model.name}: {model.note}")
    return _fetch(models, model)


def _pull_best(models: LocalModels) -> LocalModel:
    failure: LlmLspError = DownloadError("no model in the catalogue fits this machine; choose one by name")
    for model in catalogue.suited(this_machine()):
        try:
            return _fetch(models, model)
        except DownloadError as exc:
            say(f"{model.name} cannot be reached" if isinstance(exc, NoAnswerError) else str(exc))
            failure = exc
    raise failure


def _fetch(models: LocalModels, model: catalogue.CatalogueModel) -> LocalModel:
    from llm_lsp.cli.terminal.progress_bars import download_bar

    with download_bar(model.name) as progress:
        return models.fetcher.fetch(model, progress)


def _better(taken: catalogue.CatalogueModel) -> str:
    """Describe the next better model and what it needs."""
    place = catalogue.rank(taken.name)
    better = next((model for model in catalogue.MODELS[place + 1 :] if model.for_any_use), None)
    if better is None:
        return "this is the best model in the catalogue"
    needs = catalogue.lacks(better, this_machine())
    wants = f"{better.size_bytes / 1e6:.0f} MB of disk" + (f" and {needs}" if needs else "")
    return f"better: {better.name} ({better.note}) needs {wants}: llm-lsp model pull {better.name}"


def _measure(models: LocalModels, model: LocalModel) -> None:
    """Measure the model's speed once; a model that this machine cannot run stays installed."""
    if models.speeds.get(model.name):
        return
    from llm_lsp.local.thread_tuning import candidates, measure

    threads = candidates(system.available_cores())
    try:
        speed = asyncio.run(measure(models.options(model, LocalConfig()), threads, say))
    except LocalModelError as exc:
        say(f"not measured: {exc}")
        return
    models.speeds.put(model.name, speed)
    say(
        f"it reads {speed.prompt_tokens_per_s:.0f} and writes {speed.tokens_per_s:.0f} tokens a second here, "
        f"with {speed.threads} thread{'s' if speed.threads > 1 else ''}"
    )


@command.command(name="list")
@json_option
def list_models(as_json: bool) -> None:
    """List the installed models and those available for download."""
    models = local_models()
    here = {model.name: model for model in models.available()}
    best = models.best()
    known = (*catalogue.MODELS, *catalogue.EDIT_MODELS)
    rows = [_row(model.name, model, here.get(model.name), best) for model in known]
    rows += [_row(name, None, model, best) for name, model in here.items() if model.entry is None]
    if as_json:
        show_json(rows)
        return
    cells = [
        (
            str(row["name"]),
            "yes" if row["here"] else "",
            f"{row['size_mb']:,}",
            str(row["licence"]),
            str(row["note"]),
        )
        for row in rows
    ]
    print_table(("model", "here", "MB", "licence", "note"), cells, figures=("MB",))


def _row(
    name: str, entry: catalogue.CatalogueModel | None, here: LocalModel | None, best: LocalModel | None
) -> dict[str, object]:
    lacking = catalogue.lacks(entry, this_machine()) if entry else ""
    size_bytes = here.size_bytes if here else entry.size_bytes if entry else 0
    note = entry.note if entry else "your own file"
    return {
        "name": name,
        "here": here is not None,
        "is_default": best is not None and best.name == name,
        "fits": entry is not None and not lacking and entry.for_any_use,
        "size_mb": round(size_bytes / 1e6),
        "licence": entry.licence if entry else "",
        "quantization": entry.quantization if entry else "",
        "note": f"{note}; needs {lacking}" if lacking else note,
        "path": str(here.path) if here else "",
    }


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a model from this machine and stop its server."""
    models = local_models()
    for state in models.servers.running():
        if state.spec.model == name:
            models.servers.stop(state)
    stays = models.store.remove(name)
    say(f"{name} removed")
    if stays:
        say(f"its file stays in the Hugging Face cache for other programs: {stays}")


@command.command()
@json_option
def ps(as_json: bool) -> None:
    """List your model servers running on this machine."""
    states = local_models().servers.running()
    rows = [_process(state) for state in states]
    if as_json:
        show_json(rows)
    elif not rows:
        say("no model server is running")
    else:
        figures = ("pid", "port", "threads", "minutes")
        cells = [
            [
                "socket" if (column, row[column]) == ("port", 0) else str(row[column])
                for column in ("model", *figures)
            ]
            for row in rows
        ]
        print_table(("model", *figures), cells, figures)


def _process(state: ServerState) -> dict[str, object]:
    return {
        "model": state.spec.model,
        "pid": state.pid,
        "port": state.port,
        "socket": state.socket,
        "threads": state.threads,
        "context_tokens": state.spec.context_tokens,
        "minutes": round((time.time() - state.started_at) / 60),
        "gguf": state.spec.gguf,
    }


@command.command()
@click.argument("name", required=False)
def stop(name: str | None) -> None:
    """Stop the server of NAME, or all your model servers."""
    models = local_models()
    states = [state for state in models.servers.running() if name in (None, state.spec.model)]
    if name and not states:
        raise LocalModelError(f"no server for {name} is running; `llm-lsp model ps` lists the running ones")
    for state in states:
        models.servers.stop(state)
        say(f"{state.spec.model} stopped")


@command.command()
@click.argument("name")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; by default any free one."
)
@click.option(
    "--threads", type=click.IntRange(1, 512), help="Number of threads; by default the fastest as measured."
)
@click.option("--lora", type=click.Path(path_type=Path), help="LoRA adapter to apply, a GGUF file.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help=f"File with the server's key, for clients that need a fixed one; {KEY_VARIABLE} may hold it instead. "
    "By default a random key.",
)
def serve(name: str, port: int, threads: int | None, lora: Path | None, key_file: Path | None) -> None:
    """Serve a model in the foreground, until interrupted.

    While it runs, your editors use this server, including its adapter, if their model setting is "auto". Editors
    that name this model use it too, unless it has an adapter. A model that is trained for next edits is used for
    these alone, and another one goes on completing.
    """
    from llm_lsp.local.model_store import check_gguf
    from llm_lsp.local.server_process import ALREADY_RUNNING
    from llm_lsp.local.server_process import serve as serve_here

    models = local_models()
    key = _fixed_key(key_file)
    config = read_settings(None, [Path.cwd()]).resolve().config.local
    if lora:
        check_gguf(lora)
    model = models.store.find(name)
    options = models.options(model, replace(config, threads=threads or config.threads), lora)
    status = serve_here(replace(options, port=port, idle_s=0), lambda state: _announce(models, state), key)
    if status == ALREADY_RUNNING:
        raise LocalModelError(
            f"{model.name} already has a server; stop it with `llm-lsp model stop {model.name}`"
        )
    raise SystemExit(status)


def _fixed_key(file: Path | None) -> Secret | None:
    try:
        text = file.read_text(encoding="utf-8") if file else os.environ.get(KEY_VARIABLE)
        return clean_key(text) if text is not None else None
    except (OSError, ValueError, ConfigError) as exc:
        cause = (
            exc.strerror if isinstance(exc, OSError) else "it must be one line of visible ASCII characters"
        )
        raise LocalModelError(f"{file or KEY_VARIABLE} has no usable key for the server: {cause}") from exc


def _announce(models: LocalModels, state: ServerState) -> None:
    say(
        f"{state.spec.model} is served at http://127.0.0.1:{state.port}, its key is in {models.state_file(state)}"
    )


def local_models() -> LocalModels:
    """Return the store of this user's local models."""
    return LocalModels(LocalPaths.default())
