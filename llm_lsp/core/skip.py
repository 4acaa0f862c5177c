"""Nothing to show, and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Why there is nothing to show; the value is the sentence that a user reads."""

    DISABLED = "completion is switched off"
    LANGUAGE = "this language is not among the enabled ones"
    EXCLUDED = "this file is excluded"
    SECRET = "a key or password stands there"
    SCHEME = "documents of this kind are not completed"
    TOO_LARGE = "the file is too large"
    BINARY = "the file looks binary"
    UNKNOWN_DOCUMENT = "the document is not open"
    MANUAL_ONLY = "completion is set to manual"
    MENU_OFF = "menu items are off for this client"
    NO_PROVIDER = "no model is available"
    LOADING = "the model is still loading"
    SUPERSEDED = "a newer request took its place"
    CANCELLED = "the client cancelled it"
    MID_LINE = "the rest of the line is not inert"
    STATEMENT_END = "the line ends a statement"
    DELETING = "text is being deleted"
    RATE_LIMITED = "the provider's rate limit was reached"
    RESTING = "the model API fails again and again, and is left alone for a moment"
    OVER_BUDGET = "the budget is used up"
    PROVIDER_FAILED = "the model API failed"
    EMPTY = "the model had nothing to say"
    ONLY_WHITESPACE = "the model answered only white space"
    ALL_CUT = "all that the model answered was cut, as it does not fit there"
    REPEATS_SUFFIX = "the answer repeats what follows"
    REPEATS_PREFIX = "the answer repeats what stands before"
    UNSAFE = "the answer holds invisible or control characters"
    MASKED = "the answer holds a masked secret"
    TIMED_OUT = "the answer did not come in time"
    SHUTTING_DOWN = "the server is shutting down"


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to show, and why."""

    reason: Reason
    detail: str = ""
    """One line that may be shown to the user; never a key, never buffer text."""
