"""Private keys as they are written, and whether anything of one is left."""

from __future__ import annotations

import random
import string

BASE64 = string.ascii_letters + string.digits + "+/"
MARKS = {
    "RSA": ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", 64),
    "PKCS8": ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", 64),
    "OpenSSH": ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----", 70),
    "PGP": ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----END PGP PRIVATE KEY BLOCK-----", 64),
    "ssh.com": ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "---- END SSH2 ENCRYPTED PRIVATE KEY ----", 70),
    "PuTTY": ("Private-Lines: 8", "Private-MAC: 0123456789abcdef", 64),
    "wide": ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", 76),
}
LINES = {
    "plain": "{}",
    "hash": "# {}",
    "slashes": "// {}",
    "star": " * {}",
    "quote": "> {}",
    "echo": "echo '{}' >> key.pem",
    "string": '"{}\\n"',
    "added string": "    + '{}\\n'",
    "indented": "        {}",
    "diff": "+{}",
    "dashes": "-- {}",
    "semicolon": "; {}",
    "number": "{n}: {}",
    "wide number": "  {n} | {}",
    "tab number": "{n}\t{}",
    "list": "  - {}",
    "CRLF": "{}\r",
    "deep": " " * 60 + "{}",
    "log": "2024-01-01T10:00:00Z INFO [x] {}",
    "table": "| {} |",
    "Visual Basic": '"{}" & vbCrLf & _',
    "JSON": '      "{}",',
    "grep": "server.pem:{n}:{}",
}


def key(kind: str, n_lines: int = 8) -> list[str]:
    """Return a key's lines without what stands before them; its last line but the mark is short."""
    begin, end, width = MARKS[kind]
    dice = random.Random(kind)
    body = ["".join(dice.choices(BASE64, k=width)) for _ in range(n_lines)]
    return [begin, *body, "".join(dice.choices(BASE64, k=22)) + "==", end]


def written(lines: list[str], form: str) -> list[str]:
    return [
        LINES[form].replace("{n}", str(number + 98)).replace("{}", line) for number, line in enumerate(lines)
    ]


def leaks(lines: list[str], masked: str) -> list[str]:
    """Return the parts of eight characters of a key's body that a text still has."""
    return [
        line[at : at + 8]
        for line in lines
        for at in range(0, len(line) - 8, 8)
        if line[at : at + 8] in masked
    ]
