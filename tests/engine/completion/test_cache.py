"""Generations are found again where their text has been typed along."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_lsp.core.generation import Finish, Generation
from llm_lsp.engine.completion.cache import MAX_GENERATIONS, TTL_S, GenerationCache
from llm_lsp.engine.completion.events import Ask, Route
from tests.core.text.places import place
from tests.doubles import FakeClock

ROUTE = Route("p", "m", "none", 1)


def asked(marked: str, *, route: Route = ROUTE, is_hole: bool = False) -> Ask:
    return Ask(1, place(marked), route, "inline", 0.0, 2, is_hole)


def generation(text: str, finish: Finish = Finish.CUT) -> Generation:
    return Generation(1, text, finish, (len(text),))


def remaining(base: str, text: str, now: str, *, route: Route = ROUTE) -> str | None:
    cache = GenerationCache(FakeClock().now)
    cache.put(asked(base), generation(text))
    hit = cache.find(asked(now, route=route))
    return hit.generation.text[hit.typed :] if hit else None


@pytest.mark.parametrize(
    ("base", "text", "now", "expected"),
    [
        pytest.param("x = ‸", "foo(a)", "x = ‸", "foo(a)", id="the-same-place"),
        pytest.param("x = ‸", "foo(a)", "x = fo‸", "o(a)", id="typed-along"),
        pytest.param("x = fo‸", "o(a)", "x = f‸", None, id="deleted-behind-it"),
        pytest.param("x = ‸", "foo(a)", "x = foo(a)‸", None, id="typed-to-its-end"),
        pytest.param("x = ‸", "", "x = ‸", "", id="nothing-to-say"),
        pytest.param("x = ‸", "", "x = f‸", None, id="typed-on-after-nothing-to-say"),
        pytest.param(
            "if a:‸", "\n    b()\n    c()", "if a:\n    b()\n‸", "    c()", id="first-line-accepted"
        ),
        pytest.param("if a:‸", "\n    b()", "if a:\n    ‸", "b()", id="auto-indented"),
        pytest.param("x = ‸\n\nend", "1", "x = ‸\nend", "1", id="blank-lines-below-do-not-matter"),
    ],
)
def test_what_remains_of_a_generation(base: str, text: str, now: str, expected: str | None) -> None:
    assert remaining(base, text, now) == expected


def test_where_the_model_ended_by_itself_there_is_no_more_to_ask_for() -> None:
    cache = GenerationCache(FakeClock().now)
    cache.put(asked("x = ‸"), generation("foo(a)", Finish.STOP))

    hit = cache.find(asked("x = foo(a)‸"))

    assert hit is not None
    assert hit.generation.text[hit.typed :] == ""


def test_a_new_epoch_finds_nothing_old() -> None:
    assert remaining("x = ‸", "foo", "x = ‸", route=Route("p", "m", "none", 2)) is None


def test_the_longest_rest_wins() -> None:
    cache = GenerationCache(FakeClock().now)
    cache.put(asked("x = ‸"), generation("foo(a, b)"))
    cache.put(asked("x = f‸"), generation("oo"))

    hit = cache.find(asked("x = fo‸"))

    assert hit is not None
    assert hit.generation.text == "foo(a, b)"


def test_a_truncated_generation_is_not_kept() -> None:
    cache = GenerationCache(FakeClock().now)

    cache.put(asked("x = ‸"), generation("foo", Finish.TRUNCATED))

    assert cache.find(asked("x = ‸")) is None


def test_generations_age() -> None:
    clock = FakeClock()
    cache = GenerationCache(clock.now)
    cache.put(asked("x = ‸"), generation("foo"))

    clock.time += TTL_S + 1

    assert cache.find(asked("x = ‸")) is None


def test_old_generations_make_room() -> None:
    cache = GenerationCache(FakeClock().now)
    for number in range(MAX_GENERATIONS + 10):
        cache.put(asked(f"line {number}\nx = ‸"), generation("foo"))

    assert cache.find(asked("line 0\nx = ‸")) is None
    assert cache.find(asked(f"line {MAX_GENERATIONS + 9}\nx = ‸")) is not None


def test_who_asks_for_the_whole_hole_is_not_served_with_a_line() -> None:
    cache = GenerationCache(FakeClock().now)
    cache.put(asked("x = ‸"), generation("foo"))
    assert cache.find(asked("x = ‸", is_hole=True)) is None

    cache.put(asked("x = ‸", is_hole=True), generation("foo(\n)"))
    assert cache.find(asked("x = ‸", is_hole=True)) is not None
    assert cache.find(asked("x = f‸")) is not None


def test_what_is_on_screen_stays_while_it_fits() -> None:
    cache = GenerationCache(FakeClock().now)
    shown, longer = replace(generation("foo"), id=7), replace(generation("foo(a, b)"), id=8)
    cache.put(asked("x = ‸"), shown)
    cache.put(asked("x = f‸"), replace(longer, text="oo(a, b)", units=(8,)))

    hit = cache.find(asked("x = fo‸"), shown_id=7)
    after = cache.find(asked("x = foo‸"), shown_id=7)

    assert hit is not None
    assert hit.generation.id == 7
    assert after is not None
    assert after.generation.id == 8
