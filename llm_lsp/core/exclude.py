"""Which files are never sent to a model, by their paths; knows no file system."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# Files that hold secrets by their nature; after Continue's list (pipelines.md, a1), without names that are
# ordinary in many projects, such as config.json. In .gitignore syntax, matched without regard to case.
SECRET_FILES = (
    *(".env", ".env.*", "*.env", "!.env.example", "!.env.sample", "!.env.template", "*.tfvars", "*.tfstate"),
    *("*.tfstate.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.gpg"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass"),
    *(
        ".git-credentials",
        ".htpasswd",
        "credentials",
        "credentials.json",
        "credentials.toml",
        "*.credentials",
    ),
    *(
        "secrets.json",
        "secrets.yml",
        "secrets.yaml",
        "secrets.toml",
        "kubeconfig",
        "*.kubeconfig",
        "*.sqlite",
    ),
    *("*.sqlite3", "*.db", ".aws/", ".ssh/", ".gnupg/", ".kube/", ".docker/", ".azure/", ".password-store/"),
    "**/llm-lsp/config.toml",
)


class Exclusion:
    """A list of globs; compiled at the first question, since that takes an import."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns

    def covers(self, uri: str) -> bool:
        """Say whether a document is excluded; only file URIs have a path to judge, others are not covered."""
        path = path_of(uri)
        return path is not None and self._spec.match_file(path.lower())

    @cached_property
    def _spec(self) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(pattern.lower() for pattern in self._patterns)


def path_of(uri: str) -> str | None:
    """Give the path of a file URI, without its leading slash; None for other URIs."""
    parts = urlsplit(uri)
    if parts.scheme not in ("file", "vscode-remote", "vscode-notebook-cell"):
        return None
    # Normalized, so that `..` and doubled slashes do not get around a glob.
    kept: list[str] = []
    for part in unquote(parts.path).replace("\\", "/").split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    return "/".join(kept)
