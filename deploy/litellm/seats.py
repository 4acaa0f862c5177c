"""Keys and rate limits of seats without a database: SEATS_FILE names a JSON file, read again when it changes.

    {"SHA-256 of the key": {"seat": "a7", "rpm": 120, "tpm": 200000}, …}

Only hashes of keys are stored. With LiteLLM's own virtual keys (and PostgreSQL) this file is not needed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request
from litellm.proxy._types import UserAPIKeyAuth


def seats() -> dict[str, Any]:
    """Return the seats by the hash of their key."""
    path = Path(os.environ["SEATS_FILE"])
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(1)
def _read(path: Path, changed: int) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


async def user_api_key_auth(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Return the seat of a key; LiteLLM calls this for each request."""
    if hmac.compare_digest(api_key, os.environ["LITELLM_MASTER_KEY"]):
        return UserAPIKeyAuth(api_key=api_key, user_role="proxy_admin")
    digest = hashlib.sha256(api_key.encode()).hexdigest()
    found = seats().get(digest)
    if found is None:
        raise HTTPException(401, "no such key")
    return UserAPIKeyAuth(
        api_key=digest, user_id=found["seat"], rpm_limit=found.get("rpm"), tpm_limit=found.get("tpm")
    )
