"""Whose certificates are believed, and the way through a proxy, over real connections."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.errors import ConfigError, TlsError, UnreachableError
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.standin import DONE, Peer, Received, Script, relayed, serve, server_context, text

KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    yield str(path)


def connect(url: str, ca_file: str = "") -> HttpProvider:
    config = ProviderConfig("it", "openai-completions", f"{url}/v1", "m", ca_file=ca_file, allow_http=True)
    return make_provider(config, Secret(KEY))


async def read(provider: HttpProvider) -> str:
    try:
        return "".join([chunk.text async for chunk in provider.stream(RawPrompt("x"))])
    finally:
        await provider.aclose()


async def hello(received: Received, peer: Peer) -> None:
    await peer.stream(text("hello"), text("", "stop"), DONE)
    await peer.end()


async def test_an_authority_that_the_environment_names_is_believed(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    async with serve(hello, tls=server_context(authority.issue_cert("localhost"))) as standin:
        assert await read(connect(standin.url)) == "hello"


async def test_an_authority_that_the_settings_name_is_believed_besides(
    authority: trustme.CA, ca_file: str
) -> None:
    async with serve(hello, tls=server_context(authority.issue_cert("localhost"))) as standin:
        with pytest.raises(TlsError, match="untrusted"):
            await read(connect(standin.url))
        assert await read(connect(standin.url, ca_file)) == "hello"


async def test_a_connection_that_was_made_ahead_takes_the_first_call(
    authority: trustme.CA, ca_file: str
) -> None:
    context, greetings = server_context(authority.issue_cert("localhost")), []
    context.sni_callback = lambda *_: greetings.append(1)
    async with serve(hello, tls=context) as standin:
        provider = connect(standin.url, ca_file)
        await provider.warm()
        assert await read(provider) == "hello"
        assert len(greetings) == 1


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "no certificate"])
async def test_a_file_without_certificates_is_named(is_there: bool, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if is_there:
        path.write_text("nonsense")
    with pytest.raises(ConfigError, match="ca_file"):
        await read(connect("https://api.example", str(path)))


def proxy_to(port: int) -> Script:
    """Lead every tunnel to one port, whatever host it asks for."""

    async def script(received: Received, peer: Peer) -> None:
        if received.method != "CONNECT":
            await hello(received, peer)
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(relayed(peer.reader, writer), relayed(reader, peer.writer))

    return script


async def test_https_goes_through_a_tunnel_that_never_sees_the_key(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = server_context(authority.issue_cert("api.example"))
    async with serve(hello, tls=tls) as standin, serve(proxy_to(standin.port)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removeprefix("http://"))
        assert await read(connect("https://api.example", ca_file)) == "hello"
        assert [(each.method, each.path) for each in proxy.received] == [("CONNECT", "api.example:443")]
        assert KEY not in str(proxy.received)
        assert standin.received[0].headers["authorization"] == f"Bearer {KEY}"


async def test_http_goes_through_its_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(proxy_to(0)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert await read(connect("http://api.example")) == "hello"
        assert proxy.received[0].path == "http://api.example/v1/completions"


async def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(hello) as standin, serve(proxy_to(0)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert await read(connect(standin.url)) == "hello"
        assert proxy.connections == 0


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(received: Received, peer: Peer) -> None:
        await peer.whole(b"", 403)

    async with serve(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(UnreachableError, match="the proxy refuses connections to api"):
            await read(connect("https://api.example"))


async def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError):
        await read(connect("https://api.example"))


async def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_lsp.core.privacy.addresses import origin_of
    from llm_lsp.providers.http.transport import _proxy_of

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "api.example")
    assert _proxy_of(origin_of("https://api.example")) is None
    assert _proxy_of(origin_of("https://other.example")) == "http://127.0.0.1:9"
