"""A model API on loopback that writes at its model's pace: OpenAI's completions, streamed or whole."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.world import Model
from tests.servers import listening

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
# What a call that fails is answered with, before its connection is closed.
FAULTS = (
    b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
    HEAD + b"10\r\ndata: {not json\n\n\r\n",
    HEAD,
    b"",
)


class ModelApi:
    """Counts its calls, and what it wrote in each; a client that hangs up ends its call."""

    def __init__(
        self,
        model: Model,
        foretell: Callable[[str], tuple[str, int]] | None = None,
        fault_share: float = 0.0,
        answer: Callable[[str], Sequence[str]] | None = None,
    ) -> None:
        """Answer a prompt with what is typed next, as `foretell` knows it, or with the tokens of `answer`."""
        self.written: list[int] = []
        """Tokens of each call."""
        self.active = 0
        self.most_active = 0
        self.fault_share = fault_share
        """Of all calls, those that fail in one of the ways of FAULTS."""
        self.faults = 0
        self.unanswered = 0
        """Calls whose connection ended without a byte; a client may send such a call again on another one."""
        self.prompt = ""
        """Of the last call."""
        self.repeated = 0
        """Calls with the prompt of the call before."""
        self._dice = random.Random(1)
        self.url = ""
        self._model = model
        self._foretell = foretell
        self._answer = answer

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free port until the block ends."""
        async with listening(self._serve) as port:
            self.url = f"http://127.0.0.1:{port}/v1"
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = head.partition("content-length: ")[2].partition("\r\n")[0]
            body = await reader.readexactly(int(length or 0))
            if head.startswith("post"):
                asked = json.loads(body)
                await self._complete(_prompt(asked), asked.get("stream", False), reader, writer)
            else:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async def _complete(
        self, prompt: str, is_streamed: bool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call_idx = len(self.written)
        self.written.append(0)
        self.repeated += prompt == self.prompt
        self.prompt = prompt
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        try:
            if self._dice.random() < self.fault_share:
                fault = self._dice.choice(FAULTS)
                self.faults += 1
                self.unanswered += not fault
                writer.write(fault)
                raise ConnectionError
            tokens = self._tokens(prompt)
            if is_streamed:
                await self._stream(call_idx, tokens, reader, writer)
            else:
                self.written[call_idx] = len(tokens)
                await _wait(self._model.first_s + len(tokens) / self._model.tokens_per_s, reader)
                _whole(writer, "".join(tokens))
        finally:
            self.active -= 1

    def _tokens(self, prompt: str) -> Sequence[str]:
        if self._answer is not None:
            return self._answer(prompt)
        assert self._foretell is not None
        return self._model.answer(*self._foretell(prompt))

    async def _stream(
        self, call_idx: int, tokens: Sequence[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(HEAD)
        await _wait(self._model.first_s, reader)
        for token in tokens:
            self.written[call_idx] += 1
            _event(writer, {"choices": [{"index": 0, "text": token, "finish_reason": None}]})
            await _wait(1 / self._model.tokens_per_s, reader)
        _event(writer, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
        _chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")


def _prompt(asked: Mapping[str, Any]) -> str:
    """Return a request's prompt; Text Generation Inference names it `inputs`."""
    prompt = asked.get("prompt", asked.get("inputs"))
    return prompt if isinstance(prompt, str) else ""


def _whole(writer: asyncio.StreamWriter, text: str) -> None:
    """Answer with all of a completion, as OpenAI and as Text Generation Inference do."""
    choice = {"index": 0, "text": text, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "generated_text": text}).encode()
    if writer.is_closing():
        raise ConnectionError
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


async def _wait(seconds: float, reader: asyncio.StreamReader) -> None:
    """Let time pass; raises ConnectionError where the client hangs up meanwhile."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(left, 0.01))
        if reader.at_eof():
            raise ConnectionError


def _event(writer: asyncio.StreamWriter, event: object) -> None:
    _chunk(writer, f"data: {json.dumps(event)}\n\n".encode())


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    if writer.is_closing():
        raise ConnectionError
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
