"""Whether asking ahead pays."""

from __future__ import annotations

import pytest

from llm_lsp.engine.completion.prefetch import TRY_AGAIN, PrefetchOdds


def odds(*outcomes: tuple[bool, bool | None]) -> PrefetchOdds:
    found = PrefetchOdds()
    for reached, used in outcomes:
        found = found.chance(called=used is not None).settled(reached=reached, used=used)
    return found


PAYS = [
    pytest.param([], True, True, id="free, nothing known"),
    pytest.param([], False, False, id="paid, nothing known"),
    pytest.param([(True, None)] * 6, False, True, id="paid, and most is accepted"),
    pytest.param([(True, None), (False, None)] * 9, False, True, id="paid, and half is accepted"),
    pytest.param([(True, None), (False, None), (False, None)] * 9, False, False, id="paid, and a third is"),
    pytest.param([(True, False)] * 8, True, False, id="free, and the calls have nothing to show"),
    pytest.param([(True, False)] * 8 + [(True, None)] * (TRY_AGAIN - 1), True, False, id="not so soon again"),
    pytest.param([(True, False)] * 8 + [(True, None)] * TRY_AGAIN, True, True, id="one more try later"),
    pytest.param([(True, True)] * 9 + [(True, False)] * 8, True, True, id="a few misses after many hits"),
]


@pytest.mark.parametrize(("outcomes", "is_free", "expected"), PAYS)
def test_it_pays(outcomes: list[tuple[bool, bool | None]], is_free: bool, expected: bool) -> None:
    assert odds(*outcomes).pays(is_free=is_free) is expected
