"""What a user gets when a model repeats, doubles or hides something: each case typed through the engine."""

from __future__ import annotations

import pytest

from llm_lsp.core.skip import Skip
from tests.engine.completion.fits import FOLDER, FitCase, accepted, cases_in

CASES = [
    pytest.param(case, id=f"{path.stem}-{case.kind}-{case.name}")
    for path in sorted(FOLDER.glob("*.jsonl"))
    for case in cases_in(path)
]


@pytest.mark.parametrize("case", CASES)
async def test_what_is_accepted_fits_its_place(case: FitCase) -> None:
    got = await accepted(case)

    if isinstance(got, Skip):
        assert case.may_be_silent or None in case.wanted, got
    else:
        assert got in case.wanted


async def test_most_repetitions_are_taken_off_and_not_just_refused() -> None:
    cases = [case for path in FOLDER.glob("*.jsonl") for case in cases_in(path) if case.may_be_silent]
    silent = [case for case in cases if isinstance(await accepted(case), Skip)]

    assert len(silent) * 3 <= len(cases)
