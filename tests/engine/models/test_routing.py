"""The first matching rule decides the provider; chains of fallbacks are followed to their end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_lsp.config.settings import Config, ProviderConfig, RouteConfig
from llm_lsp.core.request import Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.models.routing import Routing

FOLDER = "file:///u/project"


def provider(name: str, *fallback: str) -> ProviderConfig:
    return ProviderConfig(name, "openai-completions", "https://h.example/v1", "m", fallback=fallback)


def line(
    *routes: RouteConfig,
    path: str = "src/a.py",
    trigger: Trigger = Trigger.AUTOMATIC,
    providers: tuple[ProviderConfig, ...] = (),
) -> tuple[str, ...]:
    config = Config(provider="usual", providers={each.name: each for each in providers}, routes=routes)
    document = Document(f"{FOLDER}/{path}", "python", 1, Text.of(""))
    return Routing.of(config, (FOLDER,)).order(document, trigger)


FITS = [
    pytest.param(RouteConfig("other"), True, id="an empty rule fits all"),
    pytest.param(RouteConfig("other", language="python"), True, id="the language"),
    pytest.param(RouteConfig("other", language=("go", "python")), True, id="one of the languages"),
    pytest.param(RouteConfig("other", language="go"), False, id="another language"),
    pytest.param(RouteConfig("other", path="src/"), True, id="a folder"),
    pytest.param(RouteConfig("other", path=("*.go", "src/**/*.py")), True, id="one of the globs"),
    pytest.param(RouteConfig("other", path="/a.py"), False, id="a glob counts from the workspace's folder"),
    pytest.param(RouteConfig("other", trigger="auto"), True, id="while typing"),
    pytest.param(RouteConfig("other", trigger="manual"), False, id="by hand"),
    pytest.param(RouteConfig("other", language="python", path="*.go"), False, id="all of it must fit"),
]


@pytest.mark.parametrize(("rule", "fits"), FITS)
def test_a_rule_fits_where_all_that_it_says_does(rule: RouteConfig, fits: bool) -> None:
    assert line(rule) == (("other",) if fits else ("usual",))


def test_a_rule_for_requests_by_hand_leaves_the_others_alone() -> None:
    strong = RouteConfig("strong", trigger="manual")
    assert line(strong, trigger=Trigger.MANUAL) == ("strong",)
    assert line(strong, trigger=Trigger.AUTOMATIC) == ("usual",)


def test_the_first_rule_that_fits_is_taken() -> None:
    assert line(RouteConfig("no", language="go"), RouteConfig("a"), RouteConfig("b")) == ("a",)


def test_stand_ins_follow_each_once() -> None:
    providers = (
        provider("usual", "a", "b"),
        provider("a", "c", "usual"),
        provider("b", "c"),
        provider("c", "local"),
    )
    assert line(providers=providers) == ("usual", "a", "b", "c", "local")


def test_a_document_without_a_path_fits_no_glob() -> None:
    config = Config(provider="usual", routes=(RouteConfig("other", path="*"),))
    document = Document("untitled:Untitled-1", "python", 1, Text.of(""))
    assert Routing.of(config, (FOLDER,)).order(document, Trigger.AUTOMATIC) == ("usual",)


def test_what_costs_nothing_is_told_by_the_settings_and_ends_with_our_own_model() -> None:
    here = ProviderConfig("here", "llamacpp-infill", "http://127.0.0.1:8080", "m")
    paid_gateway = replace(here, name="gateway", free=False)
    team = replace(provider("team"), free=True)
    config = Config(providers={each.name: each for each in (provider("paid"), here, paid_gateway, team)})
    assert Routing.of(config, ()).unpaid() == ("here", "team", "local")
