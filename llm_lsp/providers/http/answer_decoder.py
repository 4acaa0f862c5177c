"""Decodes a response body, in pieces of any size, into chunks of a completion."""

from __future__ import annotations

from collections.abc import Mapping

from llm_lsp.core.generation import Chunk, Finish, Token, Usage
from llm_lsp.errors import BrokenStreamError
from llm_lsp.providers.dialects.dialect import Dialect
from llm_lsp.providers.dialects.json_shapes import decode
from llm_lsp.providers.http.event_splitters import AnySplitter
from llm_lsp.providers.http.logprob_check import LogprobCheck


class AnswerDecoder:
    """Decodes one answer into pieces of text, followed by a single chunk with `finish`.

    Raises BrokenStreamError for an invalid answer, with a clause whose subject is the API, and whatever the dialect
    raises for an error object.
    """

    def __init__(self, dialect: Dialect, logprobs: LogprobCheck | None = None) -> None:
        """Without `logprobs`, log-probabilities are left out."""
        self._dialect = dialect
        self._logprobs = logprobs
        self._splitter = AnySplitter(dialect.framing)
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._has_nonsense = False
        """An unreadable event among valid ones is skipped, as in browsers."""
        self._has_words = self._has_thoughts = False
        self.has_text = False
        self.is_complete = False
        """Whether the last chunk was returned; what follows is ignored."""

    @property
    def awaits_usage(self) -> bool:
        """Whether only the usage or the end marker is missing; most APIs send both, some do not."""
        return self._finish is not None and not self.is_complete

    def feed(self, piece: bytes) -> list[Chunk]:
        """Return the chunks that a piece of the body completes."""
        return self._read(self._splitter.feed(piece))

    def end(self) -> list[Chunk]:
        """Return the remaining chunks at the regular end of the body."""
        chunks = self._read(self._splitter.end())
        if not self.is_complete:
            # A whole, unstreamed answer needs no end marker; a stream without one was cut off.
            is_whole = self.has_text and self._splitter.is_whole
            chunks += self.finish() if is_whole or self.awaits_usage else self.cut_off()
        return chunks

    def finish(self) -> list[Chunk]:
        """Return the last chunk, with what is known so far."""
        self.is_complete = True
        return [Chunk("", self._ended_by(), self._usage)]

    def cut_off(self) -> list[Chunk]:
        """Return the last chunk of an interrupted answer, which must not count as complete."""
        if not self.has_text:
            what = "sent data that is not a JSON object" if self._has_nonsense else "ended its answer"
            raise BrokenStreamError(f"{what} before any text")
        self._finish = Finish.TRUNCATED
        return self.finish()

    def _ended_by(self) -> Finish:
        """Return why the answer ended, in view of all that came."""
        finish = self._finish or Finish.STOP
        if self._has_words:
            # A filter ends an answer anywhere: its last line may be half.
            return Finish.LENGTH if finish in (Finish.BLOCKED, Finish.LOADED) else finish
        thought = self._has_thoughts or (self._usage is not None and bool(self._usage.reasoning_tokens))
        # A limit that is reached without any text was reached by what is not shown.
        is_spent = finish is Finish.LENGTH or (thought and finish is Finish.STOP)
        return Finish.THOUGHTS if is_spent else finish

    def _read(self, events: list[bytes]) -> list[Chunk]:
        chunks: list[Chunk] = []
        for event in events:
            if self.is_complete:
                break
            chunks += self.finish() if event == b"[DONE]" else self._take(event)
        return chunks

    def _take(self, event: bytes) -> list[Chunk]:
        try:
            data = decode(event)
        except ValueError:
            data = None
        if isinstance(data, list) and len(data) == 1:
            # Gemini sends errors in this form.
            data = data[0]
        if not isinstance(data, Mapping):
            self._has_nonsense = True
            return []
        chunk = self._dialect.chunk(data)
        if chunk is None:
            return []
        self._has_thoughts = self._has_thoughts or chunk.thinks
        if self._finish is not Finish.BLOCKED:
            self._finish = chunk.finish or self._finish
        if chunk.usage is not None:
            self._usage = self._usage.updated(chunk.usage) if self._usage else chunk.usage
        tokens: tuple[Token, ...] = ()
        text = _without_surrogates(chunk.text) if chunk.text else ""
        if self._logprobs is not None:
            tokens = self._logprobs.matched(text, chunk.tokens)
        chunks = []
        if text:
            self.has_text = True
            self._has_words = self._has_words or not text.isspace()
            # A caller that stops reading here still gets the usage reported so far.
            chunks.append(Chunk(text, usage=self._usage, tokens=tokens))
        elif chunk.progress is not None:
            chunks.append(chunk)
        if self._finish is not None and self._usage is not None:
            chunks += self.finish()
        return chunks


def _without_surrogates(text: str) -> str:
    """Replace lone surrogates, which JSON can contain but no encoding can represent, by U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_encoded(headers: Mapping[str, str]) -> bool:
    """Check whether an answer's body is compressed; `identity` and an empty coding are not."""
    codings = headers.get("content-encoding", "").split(",")
    return any(coding.strip().lower() not in ("", "identity") for coding in codings)
