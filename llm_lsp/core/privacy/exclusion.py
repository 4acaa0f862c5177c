"""Determines by path which files are never sent to a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from llm_lsp.core.privacy.document_paths import normal, readings
from llm_lsp.core.privacy.file_copies import original_folder, originals
from llm_lsp.core.privacy.gitignore import IgnorePattern, IgnoreRules, parse_pattern

# Extensions of files with values: `secrets.py` is code about secrets, `client-secret.json` contains them.
_VALUES = ("json", "yml", "yaml", "toml", "ini", "cfg", "conf", "properties", "xml", "txt", "csv", "bak")
# Ordinary files that may also be in a folder named after secrets, without an extension or with harmless values.
_ORDINARY = (
    "package.json",
    "package-lock.json",
    "tsconfig*.json",
    "composer.json",
    "Cargo.toml",
    "pyproject.toml",
)
_UNDOTTED = (
    "Makefile",
    "Dockerfile",
    "Jenkinsfile",
    "LICENSE",
    "README",
    "CODEOWNERS",
    "BUILD",
    "CMakeLists.txt",
)


def _files(*globs: str) -> Iterator[str]:
    """Yield globs in .gitignore syntax that match files only; folders of that name are not excluded."""
    for glob in globs:
        yield glob
        yield f"!{glob}/"


def _values_below(folder: str) -> Iterator[str]:
    """Yield globs for files with values anywhere below a folder: by their extension, or without one.

    `secrets/db_password` and `secrets/prod.yaml` match, `packages/secrets/index.ts` is code and does not.
    """
    yield from (f"**/{folder}/**/*", f"!**/{folder}/**/*/", f"!**/{folder}/**/*.*")
    yield from (f"**/{folder}/**/*.{ending}" for ending in _VALUES)


# Files that usually contain secrets, based on Continue's list (core/indexing/ignore.ts) without names that are common
# in many projects, such as config.json. In .gitignore syntax, case-insensitive.
SECRET_FILES = (
    *(glob for folder in ("secret", "secrets", "credentials") for glob in _values_below(folder)),
    *(f"!{name}" for name in (*_ORDINARY, *_UNDOTTED)),
    *_files(".env", ".env.*", ".env-*", ".env_*", ".envrc", "*.env", "*.env.*"),
    *("!.env.example", "!.env.sample", "!.env.template", "!*.env.example", "!*.env.sample"),
    "!*.env.d.ts",
    *_files("*.tfvars", "*.tfvars.json", "*.tfstate", "*.tfstate.*", ".terraformrc", "terraform.rc"),
    *_files("*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.keytab", "*.kdbx", "*.ppk"),
    *_files("*.gpg", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.ovpn"),
    *_files(".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf", ".git-credentials", ".htpasswd"),
    *_files(".dockercfg", ".boto", ".s3cfg", ".vault-token", "kubeconfig", "*.kubeconfig"),
    *_files(
        "service-account*.json", "credentials", "*.credentials", "secret", "secrets", "*.secret", "*.secrets"
    ),
    *(f"*{name}*.{ending}" for name in ("credential", "secret") for ending in _VALUES),
    *_files("*.sqlite", "*.sqlite3", "*.sqlite-*", "*.db"),
    *(".aws/", ".ssh/", ".gnupg/", ".kube/", ".docker/", ".azure/", ".password-store/"),
    "**/llm-lsp/config.toml",
)


# Number of cached results; editors ask about their open documents again and again.
MAX_VERDICTS = 512

# For a user `/build` is relative to the workspace; a glob with a drive or leading slash also applies to the whole disk.
_FROM_ROOT = re.compile(r"!?(/|[a-z]:/)", re.IGNORECASE)


class Exclusion:
    """A list of globs that apply in each workspace folder; compiled when first used."""

    def __init__(
        self, patterns: tuple[str, ...], folders: tuple[str, ...] = (), *, heeds_ignore_files: bool = True
    ) -> None:
        self.heeds_ignore_files = heeds_ignore_files
        """Whether files named in a project's ignore files are excluded too; the code that reads files checks
        this.
        """
        self._patterns = patterns
        self._folders = tuple(path for path in map(_folder_path, folders) if path is not None)
        self._verdicts: dict[str, bool] = {}

    def covers(self, uri: str) -> bool:
        """Check whether a document is excluded; a URI that names no document is not.

        Globs are relative to the workspace folders that contain the file, like those of a .gitignore there;
        outside of the workspace, to the root. Secret files are also recognized by the folders above the
        workspace. A file whose name marks it as a backup, lock or copy is excluded if its original is.
        """
        verdict = self._verdicts.get(uri)
        if verdict is None:
            if len(self._verdicts) >= MAX_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[uri] = self._judge(uri)
        return verdict

    def _judge(self, uri: str) -> bool:
        try:
            paths = [normal(path) for path in readings(uri)]
        except ValueError:
            # An unreadable URI is excluded.
            return True
        # No file has a name with a NUL, and what an editor makes of one cannot be told.
        return any("\0" in path or self._is_excluded(path) for path in paths)

    def _is_excluded(self, path: str) -> bool:
        verdict = self._verdict(path)
        if verdict is None:
            return any(map(self._verdict, _original_paths(path)))
        return verdict

    def _verdict(self, path: str) -> bool | None:
        """Return True if a path is excluded, False if it is re-included, None if no glob matches."""
        verdicts = {self._rules.verdict(seen) for seen in self._views(path)}
        if verdicts == {None}:
            return self._rules_of_the_disk.verdict(path)
        return True in verdicts

    def _views(self, path: str) -> set[str]:
        """Return the path relative to each folder that contains it."""
        prefixes = [f"{folder.lower()}/" if folder else "" for folder in self._folders]
        inside = {path[len(prefix) :] for prefix in prefixes if path.lower().startswith(prefix)}
        return inside or {path, path.rpartition("/")[2]}

    @cached_property
    def _rules(self) -> IgnoreRules:
        return _compile(self._patterns)

    @cached_property
    def _rules_of_the_disk(self) -> IgnoreRules:
        return _compile(glob for glob in self._patterns if glob in SECRET_FILES or _FROM_ROOT.match(glob))


def check_glob(glob: str) -> None:
    """Raise ValueError if a glob can match nothing."""
    parse_pattern(glob)


def _compile(globs: Iterable[str]) -> IgnoreRules:
    """Compile the valid globs; the settings report the others."""
    return IgnoreRules((pattern for glob in globs if (pattern := _readable(glob))), ignore_case=True)


def _readable(glob: str) -> IgnorePattern | None:
    try:
        return parse_pattern(glob)
    except ValueError:
        return None


def _original_paths(path: str) -> Iterator[str]:
    """Yield the paths that a path may be a copy of, judging by its name or its folders' names."""
    *folders, name = path.split("/")
    where = [original_folder(folder) for folder in folders]
    if where != folders:
        yield "/".join((*where, name))
    yield from ("/".join((*where, original)) for original in originals(name))


def _folder_path(uri: str) -> str | None:
    """Return the path of a workspace folder, None if its URI has none."""
    try:
        return next((normal(path) for path in readings(uri)), None)
    except ValueError:
        return None
