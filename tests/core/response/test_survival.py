"""Right answers pass the filters: real files' own next lines, cut out and offered as the answer."""

from __future__ import annotations

import pytest

from benchmarks.survival import ENDINGS, files_of, installed, loss, places_of, show
from llm_lsp.core.generation import Finish

PLACES = 200
LEAST_LANGUAGES = 8


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_998_of_1000_answers_that_are_right_survive_unchanged() -> None:
    languages = total = 0
    losses = []
    for language, paths in files_of(installed(), list(ENDINGS)).items():
        places = list(places_of(paths, language, PLACES, seed=1))
        languages, total = languages + (len(places) == PLACES), total + len(places)
        for idx, place in enumerate(places):
            if what := loss(place, (Finish.CUT, Finish.STOP)[idx % 2]):
                losses.append(show(place, what))
    if languages < LEAST_LANGUAGES:
        pytest.skip("too little code is installed")

    assert len(losses) <= 0.002 * total, "\n\n".join(losses)
