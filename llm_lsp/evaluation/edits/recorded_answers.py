"""Answers of models by the hash of what was sent, so that the same question is asked once.

A later run with other filters needs no model. The file contains code, like that of other measurements.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_lsp.config.settings import Config
from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.engine.models.provider_slot import ProviderFinder
from llm_lsp.providers.base import Provider, Stream


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """What a model answered, as far as it was read."""

    text: str
    finish: str
    """Value of its Finish; "cut" if reading ended before the model."""
    input_tokens: int | None = None
    output_tokens: int | None = None


class RecordedAnswers:
    """A JSON Lines file of answers; invalid lines are ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = dict(_read(path))

    def in_front_of(self, finder: ProviderFinder) -> ProviderFinder:
        """Return a finder whose providers answer from the file if they can, and add to it otherwise."""
        return _RecordingFinder(finder, self)

    def get(self, profile: Profile, prompt: Prompt) -> RecordedAnswer | None:
        """Return the answer to a prompt; None if it is unknown."""
        return self._known.get(_key(profile, prompt))

    def put(self, profile: Profile, prompt: Prompt, answer: RecordedAnswer) -> None:
        """Store an answer."""
        key = _key(profile, prompt)
        self._known[key] = answer
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, **asdict(answer)}) + "\n")


def _key(profile: Profile, prompt: Prompt) -> str:
    """Return the hash of what decides an answer; the affinity only chooses a server."""
    fields = {name: value for name, value in asdict(prompt).items() if name != "affinity"}
    whole = repr((profile.provider, profile.model, type(prompt).__name__, sorted(fields.items())))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> list[tuple[str, RecordedAnswer]]:
    found = []
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                fields = json.loads(line)
                found.append((str(fields.pop("key")), RecordedAnswer(**fields)))
    return found


class _RecordingFinder:
    def __init__(self, finder: ProviderFinder, answers: RecordedAnswers) -> None:
        self._finder = finder
        self._answers = answers

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        return _RecordingProvider(await self._finder.find(config, report), self._answers)


class _RecordingProvider:
    def __init__(self, provider: Provider, answers: RecordedAnswers) -> None:
        self._provider = provider
        self._answers = answers

    @property
    def profile(self) -> Profile:
        return self._provider.profile

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> Stream:
        if known := self._answers.get(self.profile, prompt):
            return _KnownStream(known)
        stream = self._provider.stream(prompt, patience)
        return _RecordingStream(stream, lambda answer: self._answers.put(self.profile, prompt, answer))

    async def warm(self) -> None:
        """Open no connection: every answer may be known."""

    async def aclose(self) -> None:
        await self._provider.aclose()


class _KnownStream:
    def __init__(self, answer: RecordedAnswer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        answer = self._answer
        # One line at a time, as reading ends at one.
        for line in answer.text.splitlines(keepends=True):
            yield Chunk(line)
        usage = Usage(answer.input_tokens, answer.output_tokens)
        yield Chunk("", Finish(answer.finish), usage)

    def close(self) -> None:
        """End nothing."""

    def release(self) -> None:
        """End nothing."""


class _RecordingStream:
    def __init__(self, stream: Stream, record: Callable[[RecordedAnswer], None]) -> None:
        self._stream = stream
        self._record = record
        self._text = ""
        self._finish: Finish | None = None
        self._usage = Usage()
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        async for chunk in self._stream:
            self._text += chunk.text
            self._finish = chunk.finish or self._finish
            self._usage = self._usage.updated(chunk.usage) if chunk.usage else self._usage
            yield chunk

    def close(self) -> None:
        self._is_closed = True
        self._stream.close()

    def release(self) -> None:
        finish = self._finish or Finish.CUT
        if self._text and not self._is_closed and finish.is_lasting:
            used = self._usage
            self._record(RecordedAnswer(self._text, finish.value, used.input_tokens, used.output_tokens))
        self._stream.release()
