"""Prompts get as long as a model reads in time, and keep their length while nothing changes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from llm_lsp.core.generation import PromptProgress
from llm_lsp.core.prompt.reading_speed import LEAST_TOKENS, SHORT_AT_FIRST, ReadingSpeed


def told(
    speed: ReadingSpeed, n_read: int, tokens_per_s: float, *, cached: int = 0, wait_s: float = 0
) -> ReadingSpeed:
    """Let a server report a prompt."""
    seconds = n_read / tokens_per_s
    total = cached + n_read
    return speed.observed(total, wait_s + seconds, PromptProgress(total, cached, total, seconds))


def timed(speed: ReadingSpeed, *observations: tuple[float, float]) -> ReadingSpeed:
    """Let prompts of so many tokens have their first text after so many seconds."""
    for tokens, seconds in observations:
        speed = speed.observed(tokens, seconds, None)
    return speed


@pytest.mark.parametrize(
    ("tokens_per_s", "limit"),
    [
        pytest.param(20, 256, id="no shorter than 256"),
        pytest.param(50, 256, id="one thread"),
        pytest.param(75, 512, id="two threads"),
        pytest.param(400, 2048, id="eight cores"),
        pytest.param(5000, 32768, id="a GPU"),
    ],
)
def test_a_server_that_reports_its_speed_gets_what_it_reads_in_ten_seconds(
    tokens_per_s: float, limit: float
) -> None:
    assert told(SHORT_AT_FIRST, 250, tokens_per_s).limit_tokens == limit


def test_the_wait_for_others_makes_prompts_shorter_and_its_end_longer() -> None:
    alone = told(ReadingSpeed(), 500, 100)
    shared = told(told(alone, 500, 100, wait_s=12), 400, 100, wait_s=12)
    later = shared
    for _ in range(6):
        later = told(later, 200, 100)

    assert (alone.limit_tokens, shared.limit_tokens, later.limit_tokens) == (512, 256, 512)


def test_a_prompt_that_is_mostly_cached_says_nothing_of_the_speed() -> None:
    fast = told(ReadingSpeed(), 500, 2000)

    assert told(fast, 5, 50, cached=1500).limit_tokens == fast.limit_tokens


def test_a_speed_that_wavers_does_not_move_the_limit() -> None:
    speed = told(ReadingSpeed(), 500, 110)
    limits = []
    for tokens_per_s in (108, 96, 112, 99, 115, 101, 118):
        speed = told(speed, 300, tokens_per_s)
        limits.append(speed.limit_tokens)

    assert set(limits) == {1024}


@pytest.mark.parametrize(
    ("observations", "limit"),
    [
        pytest.param([(250, 5.0)], 256, id="50 tokens a second"),
        pytest.param([(1900, 38.0)], 256, id="a long prompt that took long"),
        pytest.param([(1900, 7.0)], 1024, id="a prompt that took a little too long"),
        pytest.param([(1900, 1.5)], math.inf, id="fast"),
        pytest.param([(40, 9.0)], math.inf, id="a short prompt that took long is not due to its length"),
    ],
)
def test_without_reports_the_time_to_the_first_text_sets_the_limit(
    observations: list[tuple[float, float]], limit: float
) -> None:
    assert timed(ReadingSpeed(), *observations).limit_tokens == limit


def test_fast_answers_let_prompts_grow_step_by_step() -> None:
    assert timed(SHORT_AT_FIRST, (250, 0.3)).limit_tokens == 512
    assert timed(SHORT_AT_FIRST, (250, 0.3), (500, 0.4), (1000, 0.5)).limit_tokens == 2048
    assert timed(SHORT_AT_FIRST, (100, 0.3), (100, 0.3)).limit_tokens == 256


def test_a_cache_that_makes_answers_fast_does_not_make_the_limit_swing() -> None:
    # Each prompt of a new length is read as a whole at 50 tokens a second, each further one is cached.
    speed, lengths = timed(ReadingSpeed(), (1900, 38.0)), []
    known = math.nan
    for _ in range(200):
        tokens = speed.limit_tokens * 0.9
        speed = speed.observed(tokens, 0.4 if tokens == known else tokens / 50, None)
        known = tokens
        lengths.append(tokens)

    assert sum(a != b for a, b in pairwise(lengths)) <= 16


def test_a_call_given_up_counts_only_if_it_took_longer_than_usual() -> None:
    usual = timed(ReadingSpeed(), (1900, 3.0))

    assert usual.observed(1900, 2.5, None, is_read=False) == usual
    assert usual.observed(1900, 20.0, None, is_read=False).limit_tokens == LEAST_TOKENS * 1
    assert ReadingSpeed().observed(1900, 1.0, None, is_read=False) == ReadingSpeed()
