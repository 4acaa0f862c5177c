"""The model server's process: llama.cpp's HTTP server, which ends when it has been idle for a while.

Run as `python -m llm_lsp.local.server_process` with its options as a JSON argument.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_lsp import system
from llm_lsp.core.edits.by_model.edit_families import edit_family_of
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import LocalModelError, ModelServerError
from llm_lsp.local.server_state import ServerSpec, ServerState, files_of

if TYPE_CHECKING:
    import xllamacpp

ALREADY_RUNNING = 75
"""Exit status if another process serves the same spec; EX_TEMPFAIL of sysexits.h."""

# Seconds. Another starting process may hold the lock for a moment just to check it.
_LOCK_PATIENCE_S = 0.5
# Least number of cached tokens that are shifted instead of read again when the start of the prompt changes; llama.vim
# starts the server with the same value (ggml-org/llama.vim, README).
_CACHE_REUSE_TOKENS = 256
# Mebibytes for cached prompts of other files; llama.cpp's default of 8,192 would fill a laptop.
_PROMPT_CACHE_MIB = 256
# Tokens that must agree before a draft, and those of a draft: of four edits in Sweep's format, 80 to 92 % of the answer
# came from drafts either way, and these values draft 18 tokens in vain instead of 62, which a CPU reads for nothing.
_DRAFT_AFTER_TOKENS, _DRAFT_TOKENS = 3, 16
# llama.cpp's log levels: 1 error, 2 warning, 3 information. From 4 on it logs prompts.
_VERBOSITY = 2


@dataclass(frozen=True, slots=True)
class HostOptions:
    """All options a server is started with."""

    spec: ServerSpec
    folder: str
    """Folder of the state, lock and log files."""
    threads: int
    batch_tokens: int
    idle_s: float
    """0 to never end."""
    port: int | None = None
    """Port on 127.0.0.1, 0 for any free one; None to listen on a Unix socket if the system has them."""

    def as_argument(self) -> str:
        """Serialize for the command line, which every user can read, so it contains no secret."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, text: str) -> HostOptions:
        """Parse the result of `as_argument`."""
        entry = json.loads(text)
        return cls(spec=ServerSpec(**entry.pop("spec")), **entry)


def main(arguments: list[str]) -> int:
    """Serve until idle or stopped; on failure, the exit status and the last line of stderr state the reason."""
    options = HostOptions.from_argument(arguments[0])
    system.forbid_core_dumps()
    try:
        return serve(options, on_ready=lambda state: None)
    except LocalModelError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1


def serve(
    options: HostOptions, on_ready: Callable[[ServerState], None], fixed_key: Secret | None = None
) -> int:
    """Serve in this process, with `fixed_key` or a random key.

    Returns ALREADY_RUNNING if another process serves the same spec; otherwise it does not return.
    Raises LocalModelError if the server does not start; llama.cpp has then written the cause to stderr.
    """
    files = files_of(options.spec, Path(options.folder))
    lock = system.FileLock(files.lock)
    if not _acquire(lock):
        return ALREADY_RUNNING
    key = fixed_key.reveal() if fixed_key else secrets.token_urlsafe(32)
    # Left behind if the last server was killed.
    files.clear()
    try:
        server = _start(options, files.sockets, key)
    except LocalModelError:
        lock.release()
        raise
    # From here on a signal has to remove the state file; before, signals keep their default effect.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    state = _state(options, key, server)
    status = 1
    try:
        files.write(state)
        on_ready(state)
        _wait(stop, options.idle_s, lambda: _work_done(server))
        status = 0
    except OSError as exc:
        sys.stderr.write(f"{files.state} cannot be written: {exc.strerror}\n")
    finally:
        files.clear()
        # Not sys.exit: the destructor of a server that has handled requests never returns (xllamacpp 2026.10).
        os._exit(status)


def _acquire(lock: system.FileLock) -> bool:
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def missing_server() -> str:
    """Return what to do if llama.cpp's server is not installed."""
    import platform

    if sys.platform == "win32" and platform.machine() == "ARM64":
        return "no model can run here: llama.cpp's server has no package for Windows on ARM; start a model server yourself (llama.cpp or Ollama), which is then found"
    return "no model can run here yet: install the server with `pip install 'llm-lsp[local]'`"


def _start(options: HostOptions, sockets: Sequence[Path], key: str) -> xllamacpp.Server:
    try:
        import xllamacpp
    except ImportError as exc:
        raise LocalModelError(missing_server()) from exc
    params = xllamacpp.CommonParams()
    params.model.path = options.spec.gguf
    params.model_alias = {options.spec.model}
    params.n_ctx = options.spec.context_tokens
    # One slot: a second one would halve the context window, and two simultaneous answers would both be slow.
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = options.batch_tokens
    params.cache_prompt = True
    params.n_cache_reuse = _CACHE_REUSE_TOKENS
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.hostnames = ["127.0.0.1"]
    params.port = options.port or 0
    if options.port is None and sys.platform != "win32":
        # llama.cpp treats a host name that ends in .sock as the path of a Unix socket.
        params.hostnames = [str(usable_socket(sockets))]
    params.api_keys = [key]
    # No web page may call this server, and no web interface is needed.
    params.cors_origins = ""
    params.cors_credentials = False
    params.ui = False
    params.endpoint_metrics = True
    params.verbosity = _VERBOSITY
    if edit_family_of(options.spec.model) is not None:
        _draft(params)
    if options.spec.lora:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(options.spec.lora, 1.0)]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as exc:
        taken = options.port and _is_taken(options.port)
        cause = f"port {options.port} is in use" if taken else "see its log"
        raise ModelServerError(f"the server for {options.spec.model} did not start: {cause}") from exc


def _draft(params: xllamacpp.CommonParams) -> None:
    """Let the server guess what follows from the prompt: an edit repeats most of the lines that it is shown."""
    import xllamacpp

    params.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    params.speculative.ngram_simple.size_n = _DRAFT_AFTER_TOKENS
    params.speculative.ngram_simple.size_m = _DRAFT_TOKENS
    params.speculative.ngram_simple.min_hits = 1


def usable_socket(paths: Sequence[Path]) -> Path:
    """Return the first path at which a Unix socket can be created; only this user can enter its folder.

    Raises ModelServerError if there is none.
    """
    cause: OSError | None = None
    for path in paths:
        try:
            system.private_folder(path.parent).chmod(0o700)
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(str(path))
            path.unlink()
        except OSError as exc:
            cause = exc
        else:
            return path
    raise ModelServerError(f"no socket can be created in {paths[-1].parent}: {cause}") from cause


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _state(options: HostOptions, key: str, server: xllamacpp.Server) -> ServerState:
    address = server.listening_address
    is_socket = address.startswith("unix://")
    return ServerState(
        spec=options.spec,
        port=0 if is_socket else int(address.rpartition(":")[2]),
        key=key,
        pid=os.getpid(),
        start_mark=system.start_mark(os.getpid()),
        started_at=time.time(),
        threads=options.threads,
        idle_s=options.idle_s,
        socket=address.removeprefix("unix://") if is_socket else "",
    )


def _wait(stop: threading.Event, idle_s: float, work_done: Callable[[], object]) -> None:
    """Return once `stop` is set, or `work_done` has returned the same value for `idle_s` seconds."""
    poll_s = min(max(idle_s / 10, 0.1), 10.0) if idle_s else 3600.0
    seen, since = work_done(), time.monotonic()
    while not stop.wait(poll_s):
        now = work_done()
        if now != seen:
            seen, since = now, time.monotonic()
        elif idle_s and time.monotonic() - since >= idle_s:
            return


# A line of llama.cpp's /metrics, in Prometheus' text format.
_METRIC = re.compile(r"^llamacpp:(\w+) (\S+)$", re.MULTILINE)


def _work_done(server: Any) -> object:
    """Return a value that changes with every request; read within the process instead of over HTTP."""
    metrics = {name: float(value) for name, value in _METRIC.findall(str(server.handle_metrics()))}
    if metrics.get("requests_processing") or metrics.get("requests_deferred"):
        return time.monotonic()
    return {name: value for name, value in metrics.items() if name.endswith("_total")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
