"""The type of a decoded JSON object."""

from __future__ import annotations

from collections.abc import Mapping

Json = Mapping[str, object]
