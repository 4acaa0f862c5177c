"""Determines whether Ollama runs a model in its cloud, from its name and what Ollama reports about it."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Ollama runs these models in its cloud, without needing a key from us.
# https://docs.ollama.com/cloud
_CLOUD_TAG = re.compile(r"[:-]cloud$", re.IGNORECASE)


def is_cloud_tag(model: str) -> bool:
    """Check whether a name is that of a cloud model."""
    return _CLOUD_TAG.search(model.strip()) is not None


def runs_elsewhere(entry: Mapping[str, object]) -> bool:
    """Check whether Ollama reports another host for a model, which it also does for a renamed copy."""
    return bool(entry.get("remote_host") or entry.get("remote_model"))
