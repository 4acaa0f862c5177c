"""What is taken on this machine and what is not, with a stand-in for each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import pytest

from llm_lsp.port_owners import Owner
from llm_lsp.providers.discovery import recognition as recognise
from llm_lsp.providers.discovery.discover import Discovery, ServerLocation, discover
from llm_lsp.providers.discovery.recognition import Recognise
from llm_lsp.providers.provider_factory import make_provider
from tests.patience import PATIENCE_S
from tests.providers.standin import Peer, Received, Script, pages, serve


async def find(*servers: tuple[Recognise, Script], owner: Owner = "me") -> Discovery:
    async with AsyncExitStack() as stack:
        places = []
        for kind, script in servers:
            standin = await stack.enter_async_context(serve(script))
            places.append(ServerLocation(kind.__name__, standin.port, kind))
        return await discover(places, lambda ports: dict.fromkeys(ports, owner), PATIENCE_S)


def taken(found: Discovery) -> tuple[str, str, str] | None:
    config = found.chosen
    return None if config is None else (config.api, config.model, config.fim)


def llamacpp(model: str = "qwen2.5-coder-7b.gguf", **entry: object) -> dict[str, object]:
    return {
        "/health": {"status": "ok"},
        "/props": {"default_generation_settings": {}, "total_slots": 1},
        "/v1/models": {"data": [{"id": model, "owned_by": "llamacpp"} | entry]},
    }


def ollama(
    loaded: Sequence[Mapping[str, object]],
    show: Mapping[str, object] | None = None,
    tags: Sequence[Mapping[str, object]] | None = None,
) -> dict[str, object]:
    return {
        "/api/version": {"version": "0.12.3"},
        "/api/ps": {"models": loaded},
        "/api/tags": {"models": loaded if tags is None else tags},
        "/api/show": {"capabilities": ["completion", "insert"]} | dict(show or {}),
    }


QWEN = {"name": "qwen2.5-coder:7b", "model": "qwen2.5-coder:7b"}


def lmstudio(state: str = "loaded", kind: str = "llm") -> dict[str, object]:
    entry = {"id": "qwen2.5-coder-7b", "type": kind, "state": state}
    return {"/api/v0/models": {"object": "list", "data": [entry]}}


def vllm(owner: str = "vllm", **entry: object) -> dict[str, object]:
    model = {"id": "Qwen/Qwen2.5-Coder-7B", "owned_by": owner, "max_model_len": 32768} | entry
    return {"/v1/models": {"object": "list", "data": [model]}, "/version": {"version": "0.12.0"}}


TAKEN = [
    pytest.param(recognise.llamacpp, pages(llamacpp(), "llama.cpp"),
                 ("llamacpp-infill", "qwen2.5-coder-7b.gguf", "qwen"), id="llama.cpp"),
    pytest.param(recognise.llamacpp, pages(llamacpp("llama-3-8b"), "llama.cpp"),
                 ("llamacpp-infill", "llama-3-8b", "none"), id="llama.cpp with a model that does not fill in"),
    pytest.param(recognise.llamacpp, pages(llamacpp(status={"value": "loaded"}), "llama.cpp"),
                 ("llamacpp-infill", "qwen2.5-coder-7b.gguf", "qwen"), id="a router's loaded model"),
    pytest.param(recognise.ollama, pages(ollama([QWEN])), ("ollama", "qwen2.5-coder:7b", "native"), id="Ollama"),
    pytest.param(recognise.ollama, pages(ollama([QWEN], {"capabilities": [], "template": "{{ .Prompt }} {{ .Suffix }}"})),
                 ("ollama", "qwen2.5-coder:7b", "native"), id="an older Ollama, by its template"),
    pytest.param(recognise.ollama, pages(ollama([QWEN], {"capabilities": ["completion"]})),
                 ("ollama", "qwen2.5-coder:7b", "qwen"), id="Ollama without a template for it, by the model's name"),
    pytest.param(recognise.lmstudio, pages(lmstudio()),
                 ("openai-completions", "qwen2.5-coder-7b", "qwen"), id="LM Studio before it linked machines"),
    pytest.param(recognise.vllm, pages(vllm()), ("openai-completions", "Qwen/Qwen2.5-Coder-7B", "qwen"), id="vLLM"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "script", "expected"), TAKEN)
async def test_a_server_that_runs_here_is_taken(
    kind: Recognise, script: Script, expected: tuple[str, str, str]
) -> None:
    found = await find((kind, script))
    assert taken(found) == expected
    assert found.chosen is not None
    assert make_provider(found.chosen, None).profile.local


REMOTE = {"remote_host": "https://ollama.com:443", "remote_model": "qwen3-coder:480b"}
CLOUD = {"name": "qwen3-coder:480b-cloud", "model": "qwen3-coder:480b-cloud"}
GATEWAY = {
    "data": [{"id": "gpt-6-luna", "owned_by": "openai"}, {"id": "claude-haiku-5-5", "owned_by": "openai"}]
}

REFUSED = [
    pytest.param(recognise.ollama, pages(ollama([CLOUD])), "runs in a cloud", id="Ollama's cloud tag"),
    pytest.param(recognise.ollama, pages(ollama([QWEN | REMOTE])), "runs in a cloud", id="Ollama's remote host in what runs"),
    pytest.param(recognise.ollama, pages(ollama([QWEN], tags=[QWEN | REMOTE])), "runs in a cloud", id="Ollama's remote host in what it has"),
    pytest.param(recognise.ollama, pages(ollama([QWEN], REMOTE)), "runs in a cloud", id="Ollama's remote host in what it shows"),
    pytest.param(recognise.ollama, pages(ollama([QWEN], tags=[])), "not one of its models", id="a model that Ollama does not list"),
    pytest.param(recognise.ollama, pages(ollama([], tags=[QWEN])), "no model loaded", id="Ollama with nothing loaded"),
    pytest.param(recognise.ollama, pages(ollama([QWEN], {"capabilities": ["embedding"]})), "does not generate text", id="an embedding model"),
    pytest.param(recognise.ollama, pages({"/api/version": {"version": "1"}}), "not an Ollama server", id="half an Ollama"),
    pytest.param(recognise.ollama, pages({"/v1/models": GATEWAY}), "not an Ollama server", id="a gateway on Ollama's port"),
    pytest.param(recognise.llamacpp, pages({"/health": {"status": "ok"}, "/v1/models": GATEWAY}), "not a llama.cpp server", id="a gateway on llama.cpp's port"),
    pytest.param(recognise.llamacpp, pages(llamacpp() | {"/v1/models": GATEWAY}, "llama.cpp"), "not a llama.cpp server", id="a gateway before llama.cpp"),
    pytest.param(recognise.llamacpp, pages(llamacpp(), "uvicorn"), "not a llama.cpp server", id="llama.cpp's answers from another server"),
    pytest.param(recognise.llamacpp, pages(llamacpp(), "llama.cpp", [("/health", 503)]), "loading", id="llama.cpp loading"),
    pytest.param(recognise.llamacpp, pages(llamacpp(), "llama.cpp", [("/props", 401)]), "needs a key", id="llama.cpp with a key"),
    pytest.param(recognise.llamacpp, pages(llamacpp(status={"value": "unloaded"}), "llama.cpp"), "no model loaded", id="a router with nothing loaded"),
    pytest.param(recognise.lmstudio, pages(lmstudio() | {"/api/v1/models": {"models": []}}), "LM Link", id="LM Studio that may link machines"),
    pytest.param(recognise.lmstudio, pages(lmstudio("not-loaded")), "no model loaded", id="LM Studio with nothing loaded"),
    pytest.param(recognise.lmstudio, pages(lmstudio(kind="embeddings")), "no model loaded", id="LM Studio with an embedding model"),
    pytest.param(recognise.lmstudio, pages({"/v1/models": GATEWAY}), "not an LM Studio", id="a gateway on LM Studio's port"),
    pytest.param(recognise.vllm, pages({"/v1/models": GATEWAY}), "not a vLLM", id="a gateway on vLLM's port"),
    pytest.param(recognise.vllm, pages(vllm(max_model_len=None)), "not a vLLM", id="a gateway that copies owners"),
    pytest.param(recognise.vllm, pages(vllm() | {"/version": {}}), "not a vLLM", id="a gateway without a version"),
    pytest.param(recognise.vllm, pages(vllm(), status=[("/v1/models", 401)]), "needs a key", id="vLLM with a key"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "script", "reason"), REFUSED)
async def test_what_could_send_code_elsewhere_or_take_memory_is_not_taken(
    kind: Recognise, script: Script, reason: str
) -> None:
    found = await find((kind, script))
    assert found.chosen is None
    assert [reason in str(finding) for finding in found.findings] == [True]


async def test_another_users_listener_is_not_even_asked() -> None:
    async with serve(pages(ollama([QWEN]))) as standin:
        found = await discover(
            [ServerLocation("Ollama", standin.port, recognise.ollama)],
            lambda ports: dict.fromkeys(ports, "other"),
            PATIENCE_S,
        )
        assert standin.connections == 0
    assert found.chosen is None
    assert "another user" in str(found.findings[0])


async def test_a_system_service_is_taken() -> None:
    assert (await find((recognise.ollama, pages(ollama([QWEN]))), owner="system")).chosen


async def test_a_listener_whose_owner_is_not_known_is_not_taken() -> None:
    found = await find((recognise.ollama, pages(ollama([QWEN]))), owner="unknown")
    assert found.chosen is None
    assert "owner is unknown" in str(found.findings[0])


async def test_a_model_that_fills_in_is_preferred_whatever_the_order() -> None:
    general = (recognise.llamacpp, pages(llamacpp("llama-3-8b"), "llama.cpp"))
    coder = (recognise.ollama, pages(ollama([QWEN])))
    for servers in ([general, coder], [coder, general]):
        found = await find(*servers)
        assert taken(found) == ("ollama", "qwen2.5-coder:7b", "native")
        assert len(found.findings) == 2


@pytest.mark.parametrize(
    ("settings", "context_tokens"),
    [
        pytest.param({"n_ctx": 1024}, 1024, id="a small window"),
        pytest.param({"n_ctx": 32768}, 2048, id="a large one"),
        pytest.param({"n_ctx": 0}, 2048, id="none yet"),
        pytest.param({"n_ctx": "x"}, 2048, id="nonsense"),
        pytest.param({}, 2048, id="not told"),
    ],
)
async def test_a_prompt_fits_into_the_window_of_the_server(
    settings: dict[str, object], context_tokens: int
) -> None:
    answers = llamacpp() | {"/props": {"default_generation_settings": settings}}
    found = await find((recognise.llamacpp, pages(answers, "llama.cpp")))
    assert found.chosen is not None
    assert make_provider(found.chosen, None).profile.context_tokens == context_tokens


async def test_the_first_place_wins_among_equals() -> None:
    found = await find(
        (recognise.llamacpp, pages(llamacpp("qwen2.5-coder-3b"), "llama.cpp")),
        (recognise.llamacpp, pages(llamacpp("qwen2.5-coder-7b"), "llama.cpp")),
    )
    assert found.chosen is not None
    assert found.chosen.model == "qwen2.5-coder-3b"


async def test_nothing_is_found_where_nothing_listens() -> None:
    async with serve(pages({})) as standin:
        pass
    found = await discover(
        [ServerLocation("Ollama", standin.port, recognise.ollama)],
        lambda ports: dict.fromkeys(ports, "unknown"),
        PATIENCE_S,
    )
    assert found == Discovery((), None)


async def test_a_silent_listener_holds_nobody_up() -> None:
    async def silent(received: Received, peer: Peer) -> None:
        await peer.hung_up()

    async with serve(silent) as quiet, serve(pages(ollama([QWEN]))) as busy:
        places = [
            ServerLocation("llama.cpp", quiet.port, recognise.llamacpp),
            ServerLocation("Ollama", busy.port, recognise.ollama),
        ]
        found = await discover(places, lambda ports: dict.fromkeys(ports, "me"))
        assert taken(found) == ("ollama", "qwen2.5-coder:7b", "native")


async def test_nothing_is_asked_that_would_load_or_change_a_model() -> None:
    asked: list[tuple[str, str]] = []

    def listen(script: Script) -> Script:
        async def listening(received: Received, peer: Peer) -> None:
            asked.append((received.method, received.path))
            await script(received, peer)

        return listening

    await find(
        (recognise.llamacpp, listen(pages(llamacpp(), "llama.cpp"))),
        (recognise.ollama, listen(pages(ollama([QWEN])))),
        (recognise.lmstudio, listen(pages(lmstudio()))),
        (recognise.vllm, listen(pages(vllm()))),
    )
    assert {path for method, path in asked if method != "GET"} == {"/api/show"}


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{", b'{"models": 3, "data": "x"}', b'{"data":[[],1,null]}', b"\xff"]
)
@pytest.mark.parametrize("kind", [recognise.llamacpp, recognise.ollama, recognise.lmstudio, recognise.vllm])
async def test_nonsense_is_no_server(kind: Recognise, body: bytes) -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.whole(body, 200, Server="llama.cpp")

    found = await find((kind, script))
    assert found.chosen is None
    assert len(found.findings) == 1
