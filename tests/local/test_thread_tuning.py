"""Measuring with the real server; that a number is good is the machine's business, not the test's."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_lsp.config.settings import LocalConfig
from llm_lsp.errors import ModelServerError
from llm_lsp.local import thread_tuning as measure
from llm_lsp.local.local_models import LocalModels, LocalPaths
from llm_lsp.local.measured_speed import MeasuredSpeed
from llm_lsp.local.model_store import LocalModel
from llm_lsp.local.server_process import HostOptions
from llm_lsp.local.server_state import running

pytestmark = pytest.mark.real_model


@pytest.fixture
def options(real_model_file: LocalModel, tmp_path: Path) -> HostOptions:
    local = LocalModels(LocalPaths(real_model_file.path.parent, tmp_path / "state"))
    return local.options(real_model_file, LocalConfig())


async def test_each_number_of_threads_gets_a_run_and_no_server_stays(options: HostOptions) -> None:
    lines: list[str] = []
    speed = await measure.measure(options, [1], lines.append)
    assert lines == ["measuring smollm2-135m with 1 thread"]
    assert speed.threads == 1
    assert speed.prompt_tokens_per_s > 0
    assert speed.tokens_per_s > 0
    assert running(Path(options.folder)) == []


async def test_a_model_that_is_too_slow_is_said_so(
    options: HostOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_FIRST_DEADLINE_S", 0.01)
    with pytest.raises(ModelServerError, match="too slow on this machine"):
        await measure.measure(options, [1], lambda line: None)


@pytest.mark.parametrize(
    ("cores", "threads"), [(1, [1]), (2, [1, 2]), (4, [1, 2]), (8, [1, 2, 4]), (16, [1, 2, 8])]
)
def test_few_numbers_of_threads_are_measured(cores: int, threads: list[int]) -> None:
    assert measure.candidates(cores) == threads


@pytest.mark.parametrize(
    ("speeds", "threads"),
    [
        pytest.param(
            [MeasuredSpeed(1, 126, 58), MeasuredSpeed(2, 32, 8)], 1, id="two shared cores, as measured"
        ),
        pytest.param(
            [MeasuredSpeed(1, 50, 15), MeasuredSpeed(2, 95, 28), MeasuredSpeed(4, 180, 50)],
            4,
            id="an idle machine",
        ),
        pytest.param([MeasuredSpeed(2, 100, 30), MeasuredSpeed(4, 105, 31)], 2, id="no gain worth two cores"),
    ],
)
def test_the_fastest_is_chosen_unless_fewer_threads_do(speeds: list[MeasuredSpeed], threads: int) -> None:
    assert measure.choose(speeds).threads == threads
