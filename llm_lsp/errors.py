"""Every error of this package.

LlmLspError                  one line for the user: what failed, and what to do; never a key, never document text
├── InternalError            a bug in this program
├── ConfigError              an invalid or unusable setting
├── FramingError             bytes from a client that are not an LSP message
├── BooksError               the usage store could not be written or read
├── BudgetError              a budget is used up
├── AskError                 a question about code could not be asked or answered
│   └── DialogueError        a stored conversation could not be read or written
├── GitError                 a repository's history could not be read
├── EditorFileError          an editor's configuration could not be read, written or removed
├── LocalModelError          a model on this machine cannot be used
│   ├── NoModelError         no model is installed, and none was named
│   ├── NoEditModelError     no model for next edits is served, which is the usual case
│   ├── ModelFileError       no such model, or its file is not a GGUF file
│   ├── DownloadError        a download failed
│   │   └── NoAnswerError    the source cannot be reached
│   └── ModelServerError     the model server did not start, or ended
└── ProviderError            a call to a model API failed
    ├── UnreachableError     no connection: refused, unknown host, no answer
    │   ├── TlsError         the server's certificate or TLS version was not accepted
    │   └── StrangerError    another account of this machine runs the server at this address
    ├── AuthError            the key is missing or refused (401, 403)
    ├── MoneyError           the account has no credit (402, quota)
    ├── RateLimitError       too many requests (429); has the time to wait
    ├── OverloadedError      busy, or still loading (408, 409, 500, 502, 503, 504, 529)
    ├── BadRequestError      the request was refused (400, 422, 501)
    │   └── ContextTooLongError  the prompt exceeds the model's context window (also 413)
    ├── BlockedError         a content filter refused the prompt
    ├── NotFoundError        no such model or no such address (404)
    ├── SlowError            one of our deadlines passed
    ├── HeldBackError        the call waited for its turn, and is no longer allowed
    └── BrokenStreamError    the answer was not a valid stream, or ended too early
"""

from __future__ import annotations


class LlmLspError(Exception):
    """Base class. `str()` is one line without a full stop that names the problem and the remedy."""


class InternalError(LlmLspError):
    """A bug in this program."""

    @classmethod
    def of(cls, exc: BaseException) -> InternalError:
        """Name an exception's class and position, but not its message, which may contain document text."""
        trace = exc.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
        return cls(f"internal error: {type(exc).__name__}{place}; please report it")


class ConfigError(LlmLspError):
    """A setting is invalid or cannot be used."""


class FramingError(LlmLspError):
    """A client's bytes are not an LSP message, and the bytes after them cannot be read either."""


class GitError(LlmLspError):
    """A repository's history could not be read."""


class EditorFileError(LlmLspError):
    """An editor's configuration could not be read, written or removed."""


class BooksError(LlmLspError):
    """The usage store could not be written or read; completion works without it."""


class BudgetError(LlmLspError):
    """A budget is used up, so the call was not made."""


class AskError(LlmLspError):
    """A question about code could not be asked or answered."""


class DialogueError(AskError):
    """A stored conversation could not be read or written."""


class LocalModelError(LlmLspError):
    """A model on this machine cannot be used."""


class NoEditModelError(LocalModelError):
    """No model that is trained for next edits is served on this machine, which is the usual case."""


class NoModelError(LocalModelError):
    """No model is installed on this machine, and none was named."""


class ModelFileError(LocalModelError):
    """There is no such model on this machine, or its file is not a GGUF file."""


class DownloadError(LocalModelError):
    """A model's file could not be downloaded; no partial file is left behind."""


class NoAnswerError(DownloadError):
    """A source of models cannot be reached."""


class ModelServerError(LocalModelError):
    """The model server did not start, or ended."""


class ProviderError(LlmLspError):
    """A call to a model API failed.

    `retry_after_s` is the wait in seconds that the API asked for, or None; `status` is the HTTP status, if
    there was one.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, *, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.status = status
        self.should_retry: bool | None = None
        """Whether the API itself asks for a retry; None if it does not say."""
        self.began = False
        """Whether part of the answer had arrived: it may be billed, so the call is not repeated."""


class UnreachableError(ProviderError):
    """No connection could be made."""


class TlsError(UnreachableError):
    """The server's certificate or TLS version was not accepted."""


class StrangerError(UnreachableError):
    """A server on this machine runs as an unexpected account; nothing was sent to it."""


class AuthError(ProviderError):
    """The key is missing or was refused."""


class MoneyError(ProviderError):
    """The account is out of credit or over its spend limit."""


class RateLimitError(ProviderError):
    """Too many requests."""


class OverloadedError(ProviderError):
    """The API is busy, or the model is still loading."""


class BadRequestError(ProviderError):
    """The API refused the request itself."""

    field = ""
    """Name of the refused field, if it is an optional one that the request can do without."""


class ContextTooLongError(BadRequestError):
    """The prompt exceeds the model's context window."""


class BlockedError(ProviderError):
    """A content filter of the API refused the prompt."""


class NotFoundError(ProviderError):
    """No such model, or no such address."""


class SlowError(ProviderError):
    """One of our deadlines passed."""


class HeldBackError(ProviderError):
    """A call that waited for its turn was not made: meanwhile its provider may not be called any more."""


class BrokenStreamError(ProviderError):
    """The answer was not a valid stream, or ended before its end marker."""
