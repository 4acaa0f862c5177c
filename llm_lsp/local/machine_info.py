"""Detects the hardware that is available for running a model."""

from __future__ import annotations

from llm_lsp import system
from llm_lsp.local.catalogue import MachineProfile


def this_machine() -> MachineProfile:
    """Return this machine's memory, cores and GPU."""
    return MachineProfile(system.memory_bytes(), system.available_cores(), _has_gpu())


def _has_gpu() -> bool:
    """Check whether the installed llama.cpp can use a GPU: the standard Linux wheels cannot."""
    try:
        from xllamacpp import get_device_info
    except ImportError:
        return False
    return any("GPU" in str(device["type"]) for device in get_device_info())
