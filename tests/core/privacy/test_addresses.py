"""Origins are read strictly, and loopback is only what cannot be anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.privacy.addresses import Origin, is_loopback, origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.openai.com/v1", Origin("https", "api.openai.com", 443)),
        ("https://API.OpenAI.com:443", Origin("https", "api.openai.com", 443)),
        ("http://127.0.0.1:8012/v1", Origin("http", "127.0.0.1", 8012)),
        ("HTTP://localhost", Origin("http", "localhost", 80)),
        ("http://[::1]:8080/", Origin("http", "::1", 8080)),
        ("http://[FE80::A]", Origin("http", "fe80::a", 80)),
        ("https://gateway_1.internal:65535", Origin("https", "gateway_1.internal", 65535)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: Origin) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("text", ["https://api.openai.com", "http://127.0.0.1:8012", "http://[::1]:8080"])
def test_an_origin_prints_as_it_is_written(text: str) -> None:
    assert str(origin_of(text)) == text


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("https://api.openai.com", "https://api.openai.com.evil.tld", id="suffix"),
        pytest.param("https://api.openai.com", "https://evil.tld/api.openai.com", id="path"),
        pytest.param("https://api.openai.com", "https://api.openai.com:8443", id="port"),
        pytest.param("https://api.openai.com", "http://api.openai.com", id="downgrade"),
        pytest.param("https://api.openai.com", "https://xn--pi-openai-7fg.com", id="look-alike"),
    ],
)
def test_origins_that_look_alike_differ(left: str, right: str) -> None:
    assert origin_of(left) != origin_of(right)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://api.openai.com@evil.tld", id="user"),
        pytest.param("https://user:secret@api.openai.com", id="password"),
        pytest.param("https://@api.openai.com", id="empty user"),
        pytest.param("https://evil.tld?api.openai.com", id="query"),
        pytest.param("https://api.openai.com/v1?", id="empty query"),
        pytest.param("https://evil.tld#api.openai.com", id="fragment"),
        pytest.param("https://evil.tld\\@api.openai.com", id="backslash"),
        pytest.param("https://api.openai.com\t.evil.tld", id="tab"),
        pytest.param("https://api.openai.com\n", id="newline"),
        pytest.param(" https://api.openai.com", id="blank"),
        pytest.param("https://аpi.openai.com", id="Cyrillic а"),
        pytest.param("http://１２７.0.0.1", id="full-width digits"),
        pytest.param("https://api%2eopenai.com", id="escaped host"),
        pytest.param("https://[::1", id="half a bracket"),
        pytest.param("https://host:99999", id="port too high"),
        pytest.param("https://", id="no host"),
        pytest.param("http://[::1].evil.invalid", id="a name behind brackets"),
        pytest.param("http://[::1].evil.invalid:8080/v1", id="a name behind brackets, with a port"),
        pytest.param("http://[::1]evil.invalid", id="a name right behind brackets"),
        pytest.param("http://[::1][::2]", id="brackets twice"),
        pytest.param("http://evil.invalid[::1]", id="a name before brackets"),
        pytest.param("http://[127.0.0.1]", id="IPv4 in brackets"),
        pytest.param("http://[localhost]", id="a name in brackets"),
        pytest.param("http://[v1.x]", id="an address of the future"),
        pytest.param("http://[::1%25lo]", id="a zone"),
        pytest.param("http://::1:80", id="IPv6 without brackets"),
        pytest.param("http://127.0.0.1:", id="a port that is empty"),
        pytest.param("http://127.0.0.1:0", id="port zero"),
        pytest.param("http://127.0.0.1:08012", id="a port with a zero before it"),
        pytest.param("http://127.0.0.1:80:81", id="two ports"),
        pytest.param("http://127.0.0.1,evil.invalid", id="two hosts"),
        pytest.param("http://127.0.0.1;evil.invalid", id="a parameter"),
        pytest.param("http://localhost&evil.invalid", id="a sign that no name has"),
        pytest.param("http:/127.0.0.1", id="one slash"),
        pytest.param("http:127.0.0.1", id="no slash"),
        pytest.param("http:///127.0.0.1", id="three slashes"),
        pytest.param("//api.openai.com", id="no scheme"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("", id="empty"),
    ],
)
def test_what_parsers_may_read_differently_is_refused(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        origin_of(url)
    assert "secret" not in str(caught.value)
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://localhost:8012/v1",
        "https://[::1]",
        "http://[::ffff:127.0.0.1]",
    ],
)
def test_loopback_is_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0:1",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://127.0.0.1.evil.tld",
        "http://localhost.evil.tld",
        "http://mylocalhost",
        "http://192.168.0.1",
        "http://10.0.0.1",
        "http://[fe80::1]",
        "http://[::ffff:8.8.8.8]",
        "http://[::]",
        "http://127.0.0.1.",
        "http://localhost.",
        "http://[::ffff:0:127.0.0.1]",
        "http://127.0.0.1-",
        "http://0127.0.0.1",
    ],
)
def test_what_may_be_another_machine_is_not_loopback(url: str) -> None:
    assert not is_loopback(url)


@given(st.text())
def test_any_text_is_an_origin_or_refused(text: str) -> None:
    is_loopback(text)
    is_loopback("http://" + text)
