"""One line of JSON for each remote call, for whoever must account for them: no text, no path, no name of a person."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from llm_lsp.core.usage.records import CallRecord

# Servers list a model that they read from a file by its path, which has the name of a user's folder in it.
_FILE_PATH = re.compile(r"^(?:[/~.\\]|[A-Za-z]:[\\/]|file:)|\\|\.gguf$", re.IGNORECASE)
MAX_NAME_CHARS = 128


def audit_line(call: CallRecord, origin: str) -> str:
    """Return the line of a call that has ended; `origin` is the scheme, host and port that it went to."""
    at = datetime.fromtimestamp(call.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    usage = call.usage
    line = {
        "time": at,
        "provider": call.subject.provider[:MAX_NAME_CHARS],
        "model": model_name(call.subject.model),
        "origin": origin,
        "tokens": {
            "read": usage.input_tokens or 0,
            "cached": usage.cached_tokens or 0,
            "written": usage.output_tokens or 0,
            "estimated": call.estimated,
        },
        "outcome": call.outcome,
        "reasons": [call.trigger, *([call.failure] if call.failure else [])],
    }
    return json.dumps(line)


def model_name(model: str) -> str:
    """Return a model's name without the folders of a file's path."""
    if _FILE_PATH.search(model):
        model = re.split(r"[/\\]", model.rstrip("/\\"))[-1]
    return model[:MAX_NAME_CHARS]


def check_audit_file(path: str) -> str:
    """Return the path of an audit file; raises ValueError unless it is absolute, below `~`, or empty."""
    if (path and not re.match(r"/|~[/\\]|[A-Za-z]:[\\/]", path)) or "\0" in path:
        raise ValueError("is not an absolute path")
    return path
