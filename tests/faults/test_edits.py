"""Fault 74 of docs/faults.md: answers of a model for next edits that must not be offered."""

from __future__ import annotations

import pytest

from llm_lsp.core.generation import Finish
from llm_lsp.core.skip import Skip
from tests.engine.edits.model_rig import CHANGED, SOURCE, ModelRig

BAD = [
    pytest.param(SOURCE, Finish.STOP, id="undoes the change"),
    pytest.param(
        SOURCE.replace("first = 1", "first = 1  # as it was"), Finish.STOP, id="undoes it with a remark"
    ),
    pytest.param(CHANGED, Finish.STOP, id="changes nothing"),
    pytest.param(CHANGED.replace("second = 2", "second  =  2"), Finish.STOP, id="changes blanks"),
    pytest.param(CHANGED.replace("third = 3", "third = 3\nthird = 3"), Finish.STOP, id="repeats a line"),
    pytest.param(CHANGED + "x = 1\n" * 13, Finish.STOP, id="writes too much"),
    pytest.param("first = 100\nsecond = 2", Finish.LENGTH, id="is cut off"),
    pytest.param(CHANGED + "<|fim_middle|>\n", Finish.STOP, id="writes a mark"),
    pytest.param(CHANGED + "KEEP_PREVIOUS\n", Finish.STOP, id="writes a word for nothing"),
    pytest.param("import os\n" + CHANGED, Finish.STOP, id="adds an import"),
    pytest.param("", Finish.STOP, id="says nothing"),
]


@pytest.mark.parametrize(("said", "finish"), BAD)
async def test_fault_74_a_model_that_means_no_good_offers_nothing(said: str, finish: Finish) -> None:
    rig = ModelRig()
    await rig.start()
    await rig.change()
    task = await rig.asked()
    rig.calls[0].finish(said, finish)
    found = await task

    assert isinstance(found, Skip)
    assert found.reason.value
    assert rig.text == CHANGED
    await rig.engine.aclose()
