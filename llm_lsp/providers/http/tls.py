"""Determines the trusted certificate authorities: the system's, those that the user names, and Mozilla's."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

from llm_lsp.errors import ConfigError


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that verifies the server; `ca_file` has additional authorities in PEM form.

    If SSL_CERT_FILE or SSL_CERT_DIR is set, its authorities replace the system's and Mozilla's, as in other
    programs. Raises ConfigError for an unusable file. Takes about 20 ms.
    """
    context = _system_context()
    try:
        if ca_file:
            context.load_verify_locations(Path(ca_file).expanduser())
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(f"ca_file {ca_file} has no certificates in PEM form") from exc
    return context


def _system_context() -> ssl.SSLContext:
    named = [os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    if any(named):
        try:
            return ssl.create_default_context(cafile=named[0] or None, capath=named[1] or None)
        except (OSError, ssl.SSLError) as exc:
            raise ConfigError("SSL_CERT_FILE or SSL_CERT_DIR names no certificates in PEM form") from exc
    if sys.platform != "linux":
        # For systems that keep them in no file; truststore also applies an administrator's restrictions.
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import certifi

    context = ssl.create_default_context()
    # A container may have no certificates of its own.
    context.load_verify_locations(certifi.where())
    return context
