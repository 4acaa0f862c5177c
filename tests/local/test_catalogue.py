"""The catalogue's data, and which model suits which machine."""

from __future__ import annotations

import re

import pytest

from llm_lsp.local import catalogue
from llm_lsp.local.catalogue import MODELS, MachineProfile

GB = 1_000_000_000


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_model_says_what_it_is(model: catalogue.CatalogueModel) -> None:
    assert re.fullmatch("[0-9a-f]{64}", model.sha256)
    assert model.licence
    assert model.note
    assert model.memory_bytes > model.size_bytes


def test_they_stand_from_the_least_to_the_best() -> None:
    assert [model.size_bytes for model in MODELS] == sorted(model.size_bytes for model in MODELS)


@pytest.mark.parametrize(
    ("machine", "best"),
    [
        pytest.param(MachineProfile(3 * GB, 2), "smollm2-135m", id="a small board"),
        pytest.param(MachineProfile(8 * GB, 2), "qwen2.5-coder-0.5b", id="two cores"),
        pytest.param(
            MachineProfile(16 * GB, 8),
            "qwen2.5-coder-1.5b",
            id="a laptop, where 3b suits but is for research",
        ),
        pytest.param(MachineProfile(32 * GB, 8, has_gpu=True), "qwen2.5-coder-7b", id="a GPU"),
        pytest.param(MachineProfile(64 * GB, 32), "qwen2.5-coder-7b", id="a workstation"),
        pytest.param(
            MachineProfile(8 * GB, 8, has_gpu=True), "qwen2.5-coder-1.5b", id="a GPU and little memory"
        ),
    ],
)
def test_the_best_for_a_machine(machine: MachineProfile, best: str) -> None:
    assert catalogue.suited(machine)[0].name == best


def test_nothing_suits_a_machine_without_memory() -> None:
    assert catalogue.suited(MachineProfile(GB, 1)) == []


def test_a_model_for_research_only_is_never_taken_by_itself() -> None:
    suited = catalogue.suited(MachineProfile(1000 * GB, 1000, has_gpu=True))
    assert {model.name for model in MODELS} - {model.name for model in suited} == {"qwen2.5-coder-3b"}


def test_a_name_is_found_in_any_case() -> None:
    assert catalogue.find("SmolLM2-135M") is MODELS[0]
    assert catalogue.find("gpt") is None
