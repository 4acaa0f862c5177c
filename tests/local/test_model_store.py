"""The folder of model files."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_lsp.errors import ModelFileError
from llm_lsp.local.model_store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    (tmp_path / "models").mkdir()
    return ModelStore(tmp_path / "models")


def gguf(path: Path) -> Path:
    path.write_bytes(b"GGUF" + bytes(60))
    return path


def test_models_are_listed_the_best_first_and_unknown_ones_last(store: ModelStore) -> None:
    for name in ("mine", "smollm2-135m", "qwen2.5-coder-0.5b"):
        gguf(store.path_of(name))
    assert [model.name for model in store.here()] == ["qwen2.5-coder-0.5b", "smollm2-135m", "mine"]


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert ModelStore(tmp_path / "none").here() == []
    assert ModelStore(tmp_path / "none").best() is None


def test_auto_passes_over_a_model_for_research_only(store: ModelStore) -> None:
    gguf(store.path_of("qwen2.5-coder-3b"))
    assert store.best() is None
    gguf(store.path_of("smollm2-135m"))
    best = store.best()
    assert best is not None
    assert best.name == "smollm2-135m"


def test_any_path_of_a_gguf_file_works_as_a_name(store: ModelStore, tmp_path: Path) -> None:
    path = gguf(tmp_path / "my-model.gguf")
    model = store.find(str(path))
    assert (model.name, model.path, model.entry) == ("my-model", path, None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("smollm2-135m", "llm-lsp model pull smollm2-135m", id="of the catalogue"),
        pytest.param("nonsense", "llm-lsp model list", id="unknown"),
        pytest.param("/nowhere/x.gguf", "cannot be read", id="path"),
    ],
)
def test_a_model_that_is_not_here_is_named_with_the_remedy(store: ModelStore, name: str, words: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        store.find(name)
    assert name in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"GGU", b"<html>", b"PK\x03\x04"])
def test_a_file_that_is_no_gguf_is_refused(store: ModelStore, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a GGUF"):
        store.find(str(path))


def test_a_file_of_the_folder_is_moved_to_its_name(store: ModelStore) -> None:
    part = gguf(store.folder / ".x.part")
    assert store.put("x", part).path == store.folder / "x.gguf"
    assert not part.exists()


def test_a_file_of_a_hubs_cache_is_linked_and_stays_when_removed(store: ModelStore, tmp_path: Path) -> None:
    blob = gguf(tmp_path / "blob")
    store.put("x", blob)
    assert store.find("x").size_bytes == 64
    assert store.remove("x") in (blob, None)  # None where the system has hard links only
    assert blob.exists()
    assert store.here() == []


def test_a_link_whose_file_is_gone_is_no_model_and_can_be_removed(store: ModelStore, tmp_path: Path) -> None:
    blob = gguf(tmp_path / "blob")
    store.put("x", blob)
    blob.unlink()
    if store.path_of("x").is_symlink():
        assert store.here() == []
    assert store.remove("x") is None


def test_removing_what_is_not_here_says_so(store: ModelStore) -> None:
    with pytest.raises(ModelFileError):
        store.remove("smollm2-135m")
