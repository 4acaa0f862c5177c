"""Keys that belong to no account."""

from __future__ import annotations

BODY = "MIIEpAIBAAKCAQEA7bq2x1Zz9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0Lz9Xc8Vb7Nm6"
PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE KEY-----"
KEY = "sk-proj-" + "aB3" * 20
