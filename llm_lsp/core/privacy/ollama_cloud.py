"""Where Ollama runs a model, by its name and by what Ollama lists of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Ollama runs such models in its cloud, and asks for no key of ours to do it.
# https://docs.ollama.com/cloud
_CLOUD_TAG = re.compile(r"[:-]cloud$", re.IGNORECASE)


def is_cloud_tag(model: str) -> bool:
    """Whether a name is one of a model that Ollama runs in its cloud."""
    return _CLOUD_TAG.search(model.strip()) is not None


def runs_elsewhere(entry: Mapping[str, object]) -> bool:
    """Whether what Ollama lists or shows of a model names another host; a copy under any name does."""
    return bool(entry.get("remote_host") or entry.get("remote_model"))
