"""Secrets of many formats in many surroundings are found: see `corpus`."""

from __future__ import annotations

import time
from collections import Counter
from itertools import product

import pytest

from benchmarks.redact import samples as samples_of_speed
from llm_lsp.core.privacy.redact import Redactor
from tests.core.secrets.corpus import (
    STATEMENT_SURROUNDINGS,
    STATEMENTS,
    TOKEN_SURROUNDINGS,
    TOKENS,
    samples,
)
from tests.core.secrets.surroundings import AFTER, BEFORE

SEED = 1
# Share of the samples in which the secret must be hidden. A password without digits or marks may look like a word.
MIN_RECALL = 0.97
MIN_FORMAT_RECALL = 0.8


def cost(text: str) -> float:
    """Return the seconds of processor time that a search takes."""
    redactor = Redactor()
    redactor.redact(text[:1])
    began = time.process_time()
    redactor.redact(text)
    return time.process_time() - began


def test_the_corpus_is_as_large_as_is_said() -> None:
    assert len(TOKENS) + len(STATEMENTS) >= 150
    assert min(len(TOKEN_SURROUNDINGS), len(STATEMENT_SURROUNDINGS)) >= 20


def test_a_secret_of_each_format_is_masked_wherever_it_stands() -> None:
    redactor, seen, missed = Redactor(), Counter[str](), Counter[str]()

    for sample in samples(SEED):
        seen[sample.format] += 1
        missed[sample.format] += not sample.is_hidden_in(redactor.redact(sample.text).text)

    assert sum(missed.values()) <= (1 - MIN_RECALL) * sum(seen.values()), missed.most_common(10)
    assert [name for name in seen if missed[name] > (1 - MIN_FORMAT_RECALL) * seen[name]] == []


@pytest.mark.parametrize(
    "token",
    [
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "npm_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5",
        "sk-" + "aB3dE5fG7h" * 7,
        "glpat-aB3dE5fG7hJ9kL1mN3pQ",
        "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
        "AIzaSyD3aB5cD7eF9gH1iJ3kL5mN7oP9qR1sT3u",
    ],
    ids=lambda token: token[:5],
)
def test_a_token_is_told_apart_from_what_it_is_written_against(token: str) -> None:
    redactor = Redactor()
    for before, after in product(BEFORE, AFTER):
        masked = redactor.redact(f"x = {before}{token}{after}").text

        assert not any(token[at : at + 6] in masked for at in range(5, len(token) - 5)), (before, after)


@pytest.mark.parametrize("count", [40, 64, 70, 255, 256, 300, 1000, 5000])
@pytest.mark.parametrize("prefix", ["sk-", "ghp_", "npm_", "sk_live_", "xoxb-", "glpat-"])
def test_of_a_token_that_is_longer_than_usual_no_rest_stays(prefix: str, count: int) -> None:
    token = ("aB3dE5fG7hJ9kL1mN3pQ" * (count // 20 + 1))[:count]

    masked = Redactor().redact(f'x = "{prefix}{token}"').text

    assert not any(token[at : at + 6] in masked[len(prefix) + 9 :] for at in range(20))


@pytest.mark.parametrize("name", samples_of_speed())
def test_a_text_eight_times_as_long_costs_at_most_as_many_times_more(name: str) -> None:
    """Where an expression goes back and forth it costs 64 times as much."""
    text = samples_of_speed()[name]
    assert len(text) > 7000

    costs = [min(cost(text * times) for _ in range(3)) for times in (1, 8)]

    assert costs[1] < 24 * costs[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('- name: DB_PASSWORD\n  value: "«»"', id="of a container's environment"),
        pytest.param("- name: DB_PASSWORD\n  value: «»", id="the same without quotes"),
        pytest.param('{"name": "DB_PASSWORD",\n "value": "«»"}', id="in JSON"),
        pytest.param("password:\n  '«»'", id="below its name"),
        pytest.param("password: |\n  «»", id="as a block"),
        pytest.param('{"token":\n  "«»"}', id="of a long line that was wrapped"),
    ],
)
def test_a_value_on_the_line_below_its_name_is_masked(text: str) -> None:
    value = "x8dKjW9vQ2mz"
    before, _, after = text.partition("«»")

    masked = Redactor().redact(f"a: 1\n{before}{value}{after}\nb: 2").text

    assert masked == f"a: 1\n{before}x0xXxX0xX0xx{after}\nb: 2"


def test_every_value_of_a_list_is_masked() -> None:
    text = 'api_keys = ["x8dKjW9vQ2mz", "b7fRtY5nP1qs", "x"]'
    assert Redactor().redact(text).text == 'api_keys = ["x0xXxX0xX0xx", "x0xXxX0xX0xx", "x"]'


@pytest.mark.parametrize(
    "text", ["password:\n  return x2", "x = [token,\n  value1]", "def f(secret,\n  other1=2):", "password:\n"]
)
def test_the_line_below_a_name_is_mostly_none_of_its_value(text: str) -> None:
    assert Redactor().redact(text).text == text


def test_a_text_that_is_full_of_names_is_masked_to_its_lines_ends() -> None:
    """Judging each of them would take long; a list of secrets, or a text that was made to take long, has so many."""
    many = "".join(f"pwd_{number}=a1b2;" for number in range(500))

    masked = Redactor().redact(f"{many}pwd=lovelyday\nname = lovelyday\n").text

    assert masked.endswith("xxxxxxxxx\nname = lovelyday\n")


def test_a_file_of_ordinary_settings_is_not_full_of_names() -> None:
    text = "".join(f"service_{number}_password = ${{PASSWORD_{number}}}\n" for number in range(1000))

    assert Redactor().redact(text).text == text
