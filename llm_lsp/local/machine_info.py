"""What this machine has to run a model with; decides nothing."""

from __future__ import annotations

from llm_lsp import system
from llm_lsp.local.catalogue import MachineProfile


def this_machine() -> MachineProfile:
    """Look at memory, cores and GPU."""
    return MachineProfile(system.memory_bytes(), system.available_cores(), _has_gpu())


def _has_gpu() -> bool:
    """Return whether llama.cpp as it is installed here can use a GPU: the common wheels for Linux cannot."""
    try:
        from xllamacpp import get_device_info
    except ImportError:
        return False
    return any("GPU" in str(device["type"]) for device in get_device_info())
