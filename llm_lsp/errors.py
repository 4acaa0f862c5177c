"""Every error of this package.

LlmLspError                  one line for the user: what failed, and the remedy; never a key, never buffer text
├── InternalError            a fault of this program
├── ConfigError              a setting that cannot be used
├── FramingError             a client's bytes are no message
├── BooksError               the file of the books could not be written or read
├── BudgetError              what may be spent is spent
├── AskError                 a question about code was not asked, or not answered
│   └── DialogueError        what was said before could not be read or written
├── GitError                 a repository's history could not be read
├── EditorFileError          an editor's configuration could not be read, written or removed
├── LocalModelError          a model on this machine
│   ├── ModelFileError       no such model, or a file that is no GGUF
│   ├── DownloadError        a source did not give the file
│   │   └── NoAnswerError    the source cannot be reached
│   └── ModelServerError     the model's server did not start, or ended
└── ProviderError            a model API
    ├── UnreachableError     no connection: refused, unknown host, nothing answers
    │   ├── TlsError         the other side does not prove who it is
    │   └── StrangerError    the address belongs to another account of this machine
    ├── AuthError            the key is missing or refused (401, 403)
    ├── MoneyError           the account has no credit (402, quota)
    ├── RateLimitError       too many requests (429); says how long to wait
    ├── OverloadedError      busy, or still loading (408, 409, 500, 502, 503, 504, 529)
    ├── BadRequestError      the request was refused (400, 422, 501)
    │   └── ContextTooLongError  the prompt is over the model's window (also 413)
    ├── NotFoundError        no such model or no such address (404)
    ├── SlowError            a deadline of ours passed
    └── BrokenStreamError    the answer was no valid stream, or ended too early
"""

from __future__ import annotations


class LlmLspError(Exception):
    """Base of all; `str()` is one line that names the thing and the remedy, without a full stop."""


class InternalError(LlmLspError):
    """A fault of this program."""

    @classmethod
    def of(cls, exc: BaseException) -> InternalError:
        """Name a foreign exception's class and place, and nothing of its message: that may hold buffer text."""
        trace = exc.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
        return cls(f"internal error: {type(exc).__name__}{place}; please report it")


class ConfigError(LlmLspError):
    """A setting cannot be used."""


class FramingError(LlmLspError):
    """The bytes that a client sent are no message, and what follows them cannot be read."""


class GitError(LlmLspError):
    """A repository's history could not be read."""


class EditorFileError(LlmLspError):
    """An editor's configuration could not be read, written or removed."""


class BooksError(LlmLspError):
    """The file of the books could not be written or read; completion goes on without."""


class BudgetError(LlmLspError):
    """A budget is used up, and a call was not made."""


class AskError(LlmLspError):
    """A question about code was not asked, or not answered."""


class DialogueError(AskError):
    """What was said before could not be read or written."""


class LocalModelError(LlmLspError):
    """A model on this machine cannot be used."""


class ModelFileError(LocalModelError):
    """There is no such model here, or its file is no GGUF."""


class DownloadError(LocalModelError):
    """A model's file could not be fetched; nothing half is left behind."""


class NoAnswerError(DownloadError):
    """A source of models cannot be reached."""


class ModelServerError(LocalModelError):
    """The model's server did not start, or ended."""


class ProviderError(LlmLspError):
    """A model API failed.

    `retry_after_s` is the wait that the API asked for in seconds, or None where it named none; `status` is the HTTP
    status, where there was one.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, *, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.status = status
        self.should_retry: bool | None = None
        """What the API itself says of another try, where it says so."""
        self.began = False
        """Whether some of its answer had come: it may have to be paid, and the same is not asked again."""


class UnreachableError(ProviderError):
    """No connection could be made."""


class TlsError(UnreachableError):
    """The server does not prove its identity, or speaks no TLS version that is accepted."""


class StrangerError(UnreachableError):
    """The server at an address of this machine runs as another account than it should; nothing was sent to it."""


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
    """The one field that it refuses, where it names one that only tunes."""


class ContextTooLongError(BadRequestError):
    """The prompt is over the model's window."""


class NotFoundError(ProviderError):
    """No such model, or no such address."""


class SlowError(ProviderError):
    """A deadline of ours passed."""


class BrokenStreamError(ProviderError):
    """The answer was no valid stream, or ended before its end mark."""
