"""A model that is not there: which one is meant, told in one line."""

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import NotFoundError
from llm_lsp.providers.catalogue.presets import PRESETS
from llm_lsp.providers.catalogue.retired import RETIRED, retired
from llm_lsp.providers.catalogue.similar_models import name_models, suggestion
from tests.providers.standin import pages, serve

LIST = ("gpt-6-luna", "gpt-6.1-terra", "whisper-2")
SUGGESTIONS = [
    pytest.param("gpt-5-nano", LIST, '"gpt-6-luna"', id="retired, and its successor is on the list"),
    pytest.param("gpt-5-nano", (), '"gpt-6-luna"', id="retired, and there is no list"),
    pytest.param("claude-3-5-haiku-latest", ("claude-haiku-6",), '"claude-haiku-6"', id="the successor is gone, too"),
    pytest.param("GPT-6-Lunar", LIST, '"gpt-6-luna"', id="a slip"),
    pytest.param("mixtral", ("a", "b"), 'one of "a", "b"', id="nothing alike"),
    pytest.param("mixtral", tuple("abcdef"), 'one of "a", "b", "c", "d", "e" …', id="nothing alike among many"),
    pytest.param("mixtral", (), "", id="nothing known"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "known", "clause"), SUGGESTIONS)
def test_a_model_is_suggested(model: str, known: tuple[str, ...], clause: str) -> None:
    assert suggestion(model, known) == clause


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_no_preset_asks_for_a_retired_model(preset: object) -> None:
    assert retired(getattr(preset, "model", "")) is None


@pytest.mark.parametrize("each", RETIRED, ids=lambda each: each.pattern)
def test_a_successor_is_not_retired_itself(each: object) -> None:
    assert retired(getattr(each, "successor", "")) is None


async def tell(model: str, *known: str, api: str = "openai-chat") -> str:
    error = NotFoundError("not found")
    path = "/api/tags" if api == "ollama" else "/v1/models"
    field = "models" if api == "ollama" else "data"
    async with serve(pages({path: {field: [{"id": name} for name in known]}})) as standin:
        config = ProviderConfig("mine", api, f"{standin.url}/v1", model)  # type: ignore[arg-type] # named above
        return str(await name_models(config, error, Secret("k"))).replace(str(standin.port), "80")


async def test_the_message_names_the_model_its_day_and_the_setting() -> None:
    assert await tell("gpt-5-nano", *LIST) == (
        '127.0.0.1:80 does not have gpt-5-nano (retired 2026-12-11): set model of mine to "gpt-6-luna"'
    )


async def test_a_model_that_can_be_pulled_is_said_to() -> None:
    message = await tell("qwen2.5-coder:7b", "qwen2.5-coder:1.5b", api="ollama")
    assert message.endswith('to "qwen2.5-coder:1.5b", or run `ollama pull qwen2.5-coder:7b`')


@pytest.mark.parametrize(("model", "known"), [("m", ["m", "n"]), ("m", []), ("", ["m"])])
async def test_where_the_model_is_not_the_fault_the_error_stays(model: str, known: list[str]) -> None:
    assert await tell(model, *known) == "not found"
