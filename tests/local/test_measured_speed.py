"""The record of a measurement, and the choice of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_lsp.local import measured_speed as speed
from llm_lsp.local.measured_speed import MeasuredSpeed, SpeedRecords


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_below_four_cores_one_thread_is_taken_until_measured(cores: int, threads: int) -> None:
    assert speed.unmeasured_threads(cores) == threads


@pytest.mark.parametrize(
    ("measured", "batch"),
    [
        pytest.param(None, 128, id="not measured"),
        pytest.param(MeasuredSpeed(1, 5, 1), 64, id="very slow"),
        pytest.param(MeasuredSpeed(1, 70, 20), 64, id="qwen 0.5b here"),
        pytest.param(MeasuredSpeed(1, 126, 58), 128, id="smollm2 here"),
        pytest.param(MeasuredSpeed(1, 9000, 200), 2048, id="a GPU"),
    ],
)
def test_a_batch_is_about_a_second_of_reading(measured: MeasuredSpeed | None, batch: int) -> None:
    assert speed.batch_tokens(measured) == batch


def test_a_measurement_is_kept_for_this_machine_and_its_cores(tmp_path: Path) -> None:
    path = tmp_path / "state" / "speed.json"
    SpeedRecords(path, cores=2).put("m", MeasuredSpeed(1, 70, 20))
    assert SpeedRecords(path, cores=2).get("m") == MeasuredSpeed(1, 70, 20)
    assert SpeedRecords(path, cores=8).get("m") is None


def test_threads_of_another_model_serve_one_that_was_not_measured(tmp_path: Path) -> None:
    book = SpeedRecords(tmp_path / "speed.json", cores=8)
    assert book.threads("m") is None
    book.put("other", MeasuredSpeed(4, 70, 20))
    assert book.threads("m") == 4
    book.put("m", MeasuredSpeed(2, 70, 20))
    assert book.threads("m") == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"x": 1}'])
def test_a_record_that_cannot_be_read_is_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(content)
    book = SpeedRecords(path)
    assert book.get("m") is None
    book.put("m", MeasuredSpeed(1, 70, 20))
    assert book.get("m") == MeasuredSpeed(1, 70, 20)


def test_a_record_that_cannot_be_written_is_lost_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    SpeedRecords(tmp_path / "file" / "speed.json").put("m", MeasuredSpeed(1, 70, 20))
