"""Why nothing is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Why nothing is shown; the value is the text that the user reads."""

    DISABLED = "completions are switched off"
    LANGUAGE = "completions are not enabled for this language"
    EXCLUDED = "this file is excluded"
    SECRET = "the cursor is inside a secret"
    SCHEME = "no completions for documents of this kind"
    TOO_LARGE = "the file is too large"
    BINARY = "the file looks binary"
    UNKNOWN_DOCUMENT = "the document is not open"
    MANUAL_ONLY = "completion is set to manual"
    MENU_OFF = "completion menu items are switched off for this editor"
    NO_PROVIDER = "no model is available"
    LOADING = "the model is still loading"
    SUPERSEDED = "superseded by a newer request"
    CANCELLED = "the editor cancelled the request"
    MID_LINE = "there is code behind the cursor"
    STATEMENT_END = "the line ends a statement"
    DELETING = "text is being deleted"
    RATE_LIMITED = "the provider's rate limit was reached"
    CIRCUIT_OPEN = "provider temporarily disabled after repeated failures"
    OVER_BUDGET = "the budget is used up"
    PROVIDER_FAILED = "the provider failed"
    EMPTY = "the model returned nothing"
    BLOCKED = "a content filter blocked the answer"
    ONLY_THOUGHTS = "the model only thought, and no tokens were left for the answer"
    ONLY_LOADED = "the server was only loading its model; the next request will be answered"
    NO_CODE = "the answer contains no code, only text"
    ALWAYS_THINKS = "the model cannot stop thinking, so it only answers questions"
    ONLY_WHITESPACE = "the model returned only white space"
    ALL_TYPED = "everything that fits here has been typed or accepted"
    ALL_CUT = "the filters removed the whole answer: it does not fit here"
    REPEATS_SUFFIX = "the answer repeats the text after the cursor"
    REPEATS_PREFIX = "the answer repeats the text before the cursor"
    UNSAFE = "the answer contains invisible or control characters"
    MASKED = "the answer contains a redacted secret"
    REJECTED = "this suggestion was dismissed or undone here before"
    UNSURE = "the model is not sure enough of its answer (completion.eagerness)"
    TIMED_OUT = "the answer did not arrive in time"
    NOTHING_FOLLOWS = "nothing follows from the last change"
    UNCERTAIN = "the predicted next edit is not certain enough to be shown automatically"
    NOT_TYPED = "the last change was pasted, undone, or made by a tool or with several cursors"
    EDITS_OFF = "next edits are switched off"
    NOT_EDITED = "the document was not edited yet"
    NO_CHANGE = "the model changed nothing"
    NO_EDIT_FORMAT = "the answer does not have the form of the model's format for next edits"
    NO_EDIT_MODEL = "the model cannot write next edits"
    MARKS = "the text contains marks of the model's format"
    CUT_OFF = "the answer was cut off at the token limit"
    UNDOES = "the edit would undo a change of yours"
    ONLY_IMPORTS = "the edit changes only imports"
    TOO_MUCH = "the edit changes too many lines at once"
    DUPLICATES = "the edit repeats the lines next to it"
    STILL_TYPING = "the line is still being typed"
    DISMISSED = "a next edit was dismissed a moment ago, or this one before"
    FAULT = "an internal error, see the log"
    CONFLICTED = "the file has merge conflicts"
    GENERATED = "the file is generated"
    SHUTTING_DOWN = "the server is shutting down"


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is shown, and why."""

    reason: Reason
    detail: str = ""
    """One line that may be shown to the user; never a key or document text."""
