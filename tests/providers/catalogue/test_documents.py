"""Each field of a preset was checked against a document, the page shows which, and `doctor` tells when it is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from llm_lsp.cli.account_report import age_checks
from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.providers.catalogue.documents import (
    AFFINITY,
    DOCUMENTS,
    FIELDS,
    MAX_AGE_DAYS,
    documents_table,
    oldest,
)
from llm_lsp.providers.catalogue.presets import PRESETS, preset_config

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"


def test_every_preset_has_its_documents() -> None:
    assert list(DOCUMENTS) != [] and DOCUMENTS.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_each_field_of_a_preset_was_checked_once(name: str) -> None:
    fields = [field for document in DOCUMENTS[name] for field in document.fields.split(", ")]
    quirks = PRESETS[name].quirks
    has_affinity = quirks.affinity_field or quirks.affinity_header
    assert sorted(fields) == sorted((*FIELDS, AFFINITY) if has_affinity else FIELDS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_document_has_an_address_and_a_day(name: str) -> None:
    for document in DOCUMENTS[name]:
        assert document.address.startswith("https://")
        assert date.fromisoformat(document.checked) >= date(2026, 11, 22)


def test_the_page_shows_the_documents() -> None:
    assert documents_table() in PAGE.read_text("utf-8")


def using(provider: ProviderConfig) -> Config:
    return Config(provider=provider.name, providers={provider.name: provider})


@pytest.mark.parametrize(("days", "n_rows"), [(0, 0), (MAX_AGE_DAYS, 0), (MAX_AGE_DAYS + 1, 2)])
def test_an_old_row_is_told_by_preset_and_price(days: int, n_rows: int) -> None:
    config = using(preset_config("codestral"))
    today = date.fromisoformat(oldest(DOCUMENTS["codestral"])) + timedelta(days=days)
    checks = list(age_checks(config, today))
    assert len(checks) == n_rows
    assert all("2026-11-22" in check.text and f"{days} days" in check.text for check in checks)


def test_a_users_own_price_and_address_have_no_age() -> None:
    own = replace(preset_config("codestral"), price_input=1.0, price_output=2.0)
    [check] = age_checks(using(own), date(2030, 1, 1))
    assert check.name == "preset"
    other = ProviderConfig("mine", "openai-chat", "https://llm.example/v1", "m")
    assert list(age_checks(using(other), date(2030, 1, 1))) == []
