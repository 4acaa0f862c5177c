"""A provider over HTTP: connections, headers and bodies.

Uses httpx's transport without its client. The client would follow redirects, keep cookies and read ~/.netrc,
none of which is acceptable for requests with a key and code.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from llm_lsp import __version__
from llm_lsp.config.settings import KeyHeader
from llm_lsp.core.json import Json
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.errors import BadRequestError, ConfigError, LlmLspError, NotFoundError, ProviderError
from llm_lsp.providers.dialects.dialect import Dialect, HttpRequest, Settings
from llm_lsp.providers.dialects.json_shapes import encode
from llm_lsp.providers.http.connect_gate import CallStopped, ConnectGate
from llm_lsp.providers.http.failures import FailureSource
from llm_lsp.providers.http.logprob_check import LogprobCheck
from llm_lsp.providers.http.peer_check import PeerCheck
from llm_lsp.providers.http.refused_fields import LOGPROB_FIELDS, asks_logprobs, sent_field, without_fields
from llm_lsp.providers.http.stream import Deadlines, HttpStream, UpstreamCall

if TYPE_CHECKING:
    import httpx

LOG = logging.getLogger(__name__)

# Seconds until the server has received a request; a prompt has tens of kilobytes at most.
WRITE_S = 10.0
# Seconds for the reply to a warming request.
WARM_S = 3.0


@dataclass(frozen=True, slots=True)
class Remedies:
    """What may help after a refusal, or before a key expires."""

    find_key: Callable[[], Awaitable[Secret | None]]
    """Read the key again from its source; raises LlmLspError."""
    name_models: Callable[[NotFoundError, Secret | None], Awaitable[NotFoundError]]
    """Suggest models to use instead, given the key in use."""
    utc: Callable[[], float] = time.time
    """Return the time in seconds since 1970, by which a key expires."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to call a provider."""

    base_url: str
    dialect: Dialect
    settings: Settings
    where: FailureSource
    deadlines: Mapping[Patience, Deadlines]
    key: Secret | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Additional headers, which override ours."""
    key_header: KeyHeader = "authorization"
    remedies: Remedies | None = None
    ca_file: str = ""
    """Additional certificates to trust."""
    peer: PeerCheck | None = None
    """Checks the server's account on this machine; shared by everything that calls this provider."""
    socket: str = ""
    """Path of a Unix socket to use instead of the address's host and port; empty if none."""
    affinity_header: str = ""
    """The header for a prompt's `affinity`; empty if none. A header of the same name in the settings overrides it."""

    def affinity_of(self, prompt: Prompt) -> Mapping[str, str]:
        """Return the header that names a prompt's document, unless the user's own has its place."""
        name = self.affinity_header
        is_users = name.lower() in (each.lower() for each in self.headers)
        return {name: prompt.affinity} if name and prompt.affinity and not is_users else {}


class HttpProvider:
    """The `Provider` for all model APIs: a dialect over HTTP/1.1.

    Not HTTP/2, with which httpx's cancellation does not reach the server: it would continue, at the user's cost.
    """

    def __init__(
        self, profile: Profile, endpoint: Endpoint, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._profile = profile
        self._endpoint = endpoint
        self._origin = origin_of(endpoint.base_url)
        self._transport = transport
        self._key = endpoint.key
        self._headers = headers_of(endpoint.key, endpoint.headers, endpoint.key_header)
        self._curing = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None
        self._renewal_failed: LlmLspError | None = None
        self.last_headers: Mapping[str, str] = {}
        """Headers of the last answer; empty before the first."""
        self._not_found = ""
        """What was found out about a missing model."""
        self._refused_fields: frozenset[str] = frozenset()
        """Optional fields that this API has refused; they are no longer sent."""
        self._has_logprobs = False
        """Whether this API has sent usable log-probabilities."""
        self._urls: dict[str, httpx.URL] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._warming: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def profile(self) -> Profile:
        """What the engine needs to know about the provider."""
        return self._profile

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> HttpStream:
        """Return a call; it is sent when the stream is iterated."""
        endpoint = self._endpoint
        request = endpoint.dialect.request(prompt, endpoint.settings.heated(prompt.temperature))
        deadlines = endpoint.deadlines[patience]
        question = _Question(self, request, endpoint.affinity_of(prompt), deadlines.connect_s)
        stream = HttpStream(
            UpstreamCall(
                question.send,
                endpoint.dialect,
                endpoint.where,
                deadlines,
                self._own,
                question.cure,
                self._logprob_check(request),
            )
        )
        if self._is_closed:
            stream.close()
        return stream

    async def warm(self) -> None:
        """Open a connection for the next call; failures are ignored."""
        if not self._is_closed:
            # With `wait`, so that cancelling the caller does not cancel a connection attempt.
            await asyncio.wait({self._begin_warming()})

    async def aclose(self) -> None:
        """End all calls and close all connections."""
        self._is_closed = True
        # The pool is closed too, so a cancellation at a bad moment can lose nothing.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._transport is not None:
            await self._transport.aclose()

    def _begin_warming(self) -> asyncio.Task[None]:
        if self._warming is None or self._warming.done():
            self._warming = self._spawn(self._warm())
        return self._warming

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _own(self, task: asyncio.Task[None], stream: HttpStream) -> None:
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, stream))

    def _done(self, stream: HttpStream, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() and not stream.was_cut:
            # The task was cancelled before it started, so the iterating task must be told.
            stream.close()
            return
        if stream.was_cut and not self._profile.local and not self._is_closed:
            # Its connection is gone; open a new one for the next call.
            self._begin_warming()

    async def _warm(self) -> None:
        """Leave one more idle connection; neither the reply nor a failure matters.

        On this machine, a small GET, which also imports what httpx imports late. Elsewhere a HEAD without the
        key: it does not count towards rate limits and has no body, however long the list of models is.
        """
        gate = ConnectGate()
        task = asyncio.current_task()
        assert task is not None
        gate.guard(task)
        timer = asyncio.get_running_loop().call_later(WARM_S, gate.stop)
        path = self._endpoint.dialect.health_path
        try:
            if self._origin.is_loopback:
                response = await self._send("GET", path, self._headers, b"", WARM_S, gate)
            else:
                response = await self._send("HEAD", path, PUBLIC_HEADERS, b"", WARM_S, gate)
            await _read_away(response, gate)
        except (asyncio.CancelledError, CallStopped):
            if not gate.stopping:
                raise
        except Exception as exc:
            # The first call will run into the same problem, and report it to the user.
            LOG.debug("no connection ahead: %s", type(exc).__name__)
        finally:
            timer.cancel()

    def _logprob_check(self, request: HttpRequest) -> LogprobCheck | None:
        is_sent = self._endpoint.dialect.sends_logprobs or asks_logprobs(request.body)
        if not self._endpoint.settings.ask_logprobs or not is_sent or self._refused_fields & LOGPROB_FIELDS:
            return None
        return LogprobCheck(self._distrust_logprobs, self._trust_logprobs)

    def _trust_logprobs(self) -> None:
        self._has_logprobs = True

    def _distrust_logprobs(self) -> None:
        if not self._refused_fields & LOGPROB_FIELDS:
            self._spare("logprobs")

    def _spare(self, field_name: str) -> bool:
        """Stop sending an optional field; return False if it is not sent anyway."""
        if not field_name:
            return False
        LOG.info("%s refuses the field %s; it is not sent again", self._endpoint.where.host, field_name)
        if field_name in LOGPROB_FIELDS:
            self._profile = replace(self._profile, sends_logprobs=False)
            self._refused_fields |= LOGPROB_FIELDS
        self._refused_fields |= {field_name}
        return True

    async def _cure(self, error: ProviderError, refused: Mapping[str, str]) -> bool:
        """Use a key that was changed since `refused` was sent; look up the existing models, once."""
        remedies = self._endpoint.remedies
        if remedies is None:
            return False
        async with self._curing:
            if isinstance(error, NotFoundError):
                self._not_found = self._not_found or str(await remedies.name_models(error, self._key))
                raise NotFoundError(self._not_found, status=error.status)
            # Another call may have found the new key in the meantime.
            if self._headers is refused:
                self._use_key(await remedies.find_key())
            return self._headers is not refused

    async def _fresh_key(self) -> None:
        """Replace a key before it expires, in the background; wait for the new one only if it has expired.

        Raises LlmLspError if it has expired and there is no new one.
        """
        lifetime = self._key.lifetime if self._key else None
        remedies = self._endpoint.remedies
        if lifetime is None or remedies is None or (now := remedies.utc()) < lifetime.refresh_at:
            return
        if self._renewal is None or self._renewal.done():
            self._renewal = self._spawn(self._renew(remedies))
        if now < lifetime.expires_at:
            return
        await asyncio.wait({self._renewal})
        if self._renewal_failed is not None:
            raise self._renewal_failed

    async def _renew(self, remedies: Remedies) -> None:
        known = self._key
        async with self._curing:
            if self._key is not known:
                return  # replaced after a refusal meanwhile
            try:
                self._use_key(await remedies.find_key())
                self._renewal_failed = None
            except LlmLspError as exc:
                LOG.info("the key is not replaced before it expires: %s", exc)
                self._renewal_failed = exc

    def _use_key(self, key: Secret | None) -> None:
        if key != self._key:
            self._headers = headers_of(key, self._endpoint.headers, self._endpoint.key_header)
        self._key = key

    async def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        connect_s: float,
        gate: ConnectGate,
    ) -> httpx.Response:
        import httpx

        if self._transport is None:
            from llm_lsp.providers.http.transport import open_transport

            endpoint = self._endpoint
            self._transport = open_transport(self._origin, endpoint.ca_file, endpoint.peer, endpoint.socket)
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx.URL(self._endpoint.base_url.rstrip("/") + path)
        # No read timeout: httpx's would limit a single read, not the request. Deadline limits the whole.
        timeout = {"connect": connect_s, "read": None, "write": WRITE_S, "pool": None}
        extensions = {"timeout": timeout, "trace": gate.trace}
        request = httpx.Request(method, url, headers=headers, content=body, extensions=extensions)
        return await self._transport.handle_async_request(request)


class _Question:
    """One call's request, and the headers it was sent with."""

    def __init__(
        self, provider: HttpProvider, request: HttpRequest, affinity: Mapping[str, str], connect_s: float
    ) -> None:
        self._provider = provider
        self._request = request
        self._affinity = affinity
        self._connect_s = connect_s
        self._sent: Mapping[str, str] = {}
        self._body: Json = request.body
        self._without: frozenset[str] = frozenset()
        """Fields left out on suspicion: the refusal named none."""

    async def send(self, gate: ConnectGate) -> httpx.Response:
        await self._provider._fresh_key()
        if gate.stopping:
            raise CallStopped
        self._sent = self._provider._headers
        spared = self._provider._refused_fields
        self._body = body = without_fields(self._request.body, spared | self._without)
        headers = _overridden(self._affinity, self._sent)
        response = await self._provider._send(
            "POST", self._request.path, headers, encode(body), self._connect_s, gate
        )
        self._provider.last_headers = response.headers
        if self._without and response.is_success:
            self._provider._distrust_logprobs()
        return response

    async def cure(self, error: ProviderError) -> bool:
        if isinstance(error, BadRequestError):
            name = sent_field(self._body, error.field)
            return self._provider._spare(name) or self._suspects_logprobs()
        return await self._provider._cure(error, self._sent)

    def _suspects_logprobs(self) -> bool:
        """Return whether to send again without asking for log-probabilities, which never worked yet."""
        if self._provider._has_logprobs or self._without or not asks_logprobs(self._body):
            return False
        self._without = LOGPROB_FIELDS
        return True


# Compression is refused, see stream.py.
PUBLIC_HEADERS = {
    "User-Agent": f"llm-lsp/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}

# RFC 9110, sections 5.1 and 5.5: a token, and visible characters with blanks between.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?|")


def headers_of(
    key: Secret | None, further: Mapping[str, str], key_header: KeyHeader = "authorization"
) -> dict[str, str]:
    """Return the headers of every call; `further` ones override ours.

    Raises ConfigError, without their values, if they contain invalid characters.
    """
    for name, value in further.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ConfigError("a header in the settings contains invalid characters")
    headers = PUBLIC_HEADERS | {"Content-Type": "application/json"}
    if key is not None:
        is_bearer = key_header == "authorization"
        headers[key_header] = f"Bearer {key.reveal()}" if is_bearer else key.reveal()
    return _overridden(headers, further)


def _overridden(headers: Mapping[str, str], further: Mapping[str, str]) -> dict[str, str]:
    """Return headers and further ones, which replace those of the same name."""
    theirs = {name.lower() for name in further}
    return {name: value for name, value in headers.items() if name.lower() not in theirs} | dict(further)


async def _read_away(response: httpx.Response, gate: ConnectGate) -> None:
    try:
        gate.open()
        await response.aread()
    finally:
        await response.aclose()
