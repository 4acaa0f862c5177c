"""What the whole suite shares: Hypothesis without a clock, time limits for real programs, one small model a session."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from llm_lsp.config.settings import LocalConfig
from llm_lsp.errors import DownloadError
from llm_lsp.local import catalogue
from llm_lsp.local.download import ModelDownloader
from llm_lsp.local.local_models import LocalEndpoint, LocalModels, LocalPaths
from llm_lsp.local.model_store import LocalModel, ModelStore
from tests.loop_time import new_loop

REAL_TIMEOUT_S = 300
SMALL_MODEL = "smollm2-135m"

# A deadline and `too_slow` measure the machine; random examples would fail a run that changed nothing.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow tests with a real model or editor three minutes, since machines may be shared and slow."""
    for item in items:
        real = item.get_closest_marker("real_model") or item.get_closest_marker("real_editor")
        if real and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(REAL_TIMEOUT_S))


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let no deadline pass while the machine is busy with something else."""
    return {"own time": new_loop}


@pytest.fixture(autouse=True, scope="module")
def _collecting_stays_cheap() -> None:
    """Exempt what was made before a module, so that `tests.servers` can collect garbage after each server.

    After 8,000 tests their reports and the caches of Hypothesis make a collection take 150 ms, and 10 ms without them.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def nobodys_books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' requests out of the usage store of the user running them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def real_model_file() -> LocalModel:
    """The small model's file: fetched once into the user's model folder, or into LLM_LSP_TEST_MODELS."""
    folder = os.environ.get("LLM_LSP_TEST_MODELS")
    store = ModelStore(Path(folder) if folder else LocalPaths.default().models)
    model = catalogue.find(SMALL_MODEL)
    assert model is not None
    while True:
        try:
            return ModelDownloader(store).fetch(model, lambda done, total: None)
        except DownloadError as exc:
            # Another run of the tests fetches it: wait for that one.
            if "another" not in str(exc):
                raise
            time.sleep(0.5)


@pytest.fixture(scope="session")
def real_model(
    real_model_file: LocalModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalEndpoint]:
    """A server of the small model, one for the session, with its own state."""
    state = tmp_path_factory.mktemp("local-state")
    models = LocalModels(LocalPaths(real_model_file.path.parent, state))
    options = models.options(real_model_file, LocalConfig(idle_minutes=600))
    # On a port, for programs that do not support Unix sockets.
    server = asyncio.run(models.servers.join(replace(options, port=0), lambda line: None))
    yield models.endpoint(server)
    for server in models.servers.running():
        models.servers.stop(server)
