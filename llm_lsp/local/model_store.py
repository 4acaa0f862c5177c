"""The folder of installed model files."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from llm_lsp.core.edits.by_model.edit_families import edit_family_of
from llm_lsp.errors import ModelFileError
from llm_lsp.local import catalogue

# The first bytes of every GGUF file (github.com/ggml-org/ggml, docs/gguf.md).
_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class LocalModel:
    """An installed model file."""

    name: str
    path: Path
    size_bytes: int
    entry: catalogue.CatalogueModel | None = None
    """The model's catalogue entry; None for a user's own file."""


class ModelStore:
    """Model files by name: `NAME.gguf` in one folder, so that any GGUF file placed there has a name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def here(self) -> list[LocalModel]:
        """List the installed models, best first, unknown ones last."""
        found = [self._model(path.stem, path) for path in self.folder.glob("*.gguf") if path.is_file()]
        return sorted(found, key=lambda model: (-catalogue.rank(model.name), model.name))

    def best(self) -> LocalModel | None:
        """Return the model to use if none is named, or None.

        Never one with a research-only licence, or one that is trained for next edits and does not complete.
        """
        completing = (model for model in self.here() if edit_family_of(model.name) is None)
        return next((model for model in completing if not model.entry or model.entry.for_any_use), None)

    def find(self, name: str) -> LocalModel:
        """Return the model of that name, or at that path of a GGUF file; raises ModelFileError if there is none."""
        is_path = name.endswith(".gguf") or Path(name).name != name
        path = Path(name).expanduser().absolute() if is_path else self.path_of(name)
        if not is_path and not path.is_file():
            raise ModelFileError(self._missing(name))
        check_gguf(path)
        return self._model(path.stem, path)

    def path_of(self, name: str) -> Path:
        """Return the path of a model of that name, whether or not it exists."""
        return self.folder / f"{name}.gguf"

    def put(self, name: str, source: Path) -> LocalModel:
        """Store a complete file under a name: moved if it is in the folder already, linked otherwise."""
        check_gguf(source)
        target = self.path_of(name)
        if source.is_relative_to(self.folder):
            os.replace(source, target)
        else:
            _link(source.resolve(), target)
        return self._model(name, target)

    def remove(self, name: str) -> Path | None:
        """Remove a model; return the file that stays in the Hugging Face cache, or None.

        Raises ModelFileError if there is no such model.
        """
        path = self.path_of(Path(name).name)
        if not path.is_symlink() and not path.is_file():
            raise ModelFileError(self._missing(name))
        stays = path.resolve() if path.is_symlink() else None
        path.unlink()
        return stays if stays and stays.is_file() else None

    def _model(self, name: str, path: Path) -> LocalModel:
        return LocalModel(name, path, path.stat().st_size, catalogue.find(name))

    def _missing(self, name: str) -> str:
        if catalogue.find(name):
            return f"the model {name} is not installed: download it with `llm-lsp model pull {name}`"
        here = ", ".join(model.name for model in self.here()) or "none"
        return f"unknown model {name}: see `llm-lsp model list` (installed: {here})"


def check_gguf(path: Path) -> None:
    """Raise ModelFileError if a file cannot be read or is not a GGUF file."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as exc:
        raise ModelFileError(f"the model file {path} cannot be read: {exc.strerror}") from exc
    if magic != _MAGIC:
        raise ModelFileError(
            f"{path} is not a GGUF file: convert the model for llama.cpp, or download it again"
        )


def _link(source: Path, target: Path) -> None:
    """Make a file available under a second name, as a link if the system supports it, else as a copy."""
    temporary = target.with_name(f".{target.name}.link")
    temporary.unlink(missing_ok=True)
    # Windows allows few users to create symbolic links, and hard links do not work across disks.
    for link in (os.symlink, os.link):
        with contextlib.suppress(OSError):
            link(source, temporary)
            break
    else:
        shutil.copyfile(source, temporary)
    os.replace(temporary, target)
