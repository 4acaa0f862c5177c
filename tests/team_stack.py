"""The stack of `deploy/litellm` on loopback: LiteLLM, Redis, and two model servers with the small model."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LITELLM = os.environ.get("LLM_LSP_TEST_LITELLM", "")
REDIS = shutil.which("redis-server") or ""
CONFIG = Path(__file__).parents[1] / "deploy" / "litellm"
# Made up: the stack runs for the tests alone.
REPLICA_KEY, MASTER_KEY = "sk-replica-canary", "sk-master-canary"
SEATS = 10


@dataclass(slots=True)
class TeamStack:
    """The running programs."""

    url: str
    redis: subprocess.Popen[bytes]
    ports: dict[str, int] = field(default_factory=dict)
    """The port of each replica, by the id that the gateway's answers name."""
    replicas: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def kill(self, name: str) -> None:
        """Kill a replica."""
        self.replicas[name].kill()
        self.replicas[name].wait()


def seat_key(number: int) -> str:
    """Return the key of a seat."""
    return f"sk-seat-canary-{number}"


@contextmanager
def team_stack(model: Path, folder: Path) -> Iterator[TeamStack]:
    """Run the stack until the end of the block."""
    with ExitStack() as ends:
        shutil.copytree(CONFIG, folder / "gateway")
        redis_port, gateway_port = free_port(), free_port()
        words = ("--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
        redis = ends.enter_context(_running([REDIS, *words], folder / "redis.log", {}))
        stack = TeamStack(f"http://127.0.0.1:{gateway_port}", redis)
        for number in (1, 2):
            port, name = free_port(), f"replica-{number}"
            command = [sys.executable, "-m", "llm_lsp", "model", "serve", str(model), "--threads", "1"]
            around = {"XDG_STATE_HOME": str(folder / name), "LLM_LSP_SERVE_KEY": REPLICA_KEY}
            program = _running([*command, "--port", str(port)], folder / f"{name}.log", around)
            stack.replicas[name], stack.ports[name] = ends.enter_context(program), port
        seats = folder / "seats.json"
        hashes = [hashlib.sha256(seat_key(number).encode()).hexdigest() for number in range(SEATS)]
        seats.write_text(json.dumps({each: {"seat": f"a{n}", "rpm": 6000} for n, each in enumerate(hashes)}))
        for name, port in stack.ports.items():
            wait_for(f"http://127.0.0.1:{port}/health", stack.replicas[name], folder / f"{name}.log")
        around = {
            **{f"REPLICA_{name[-1]}": f"http://127.0.0.1:{port}/v1" for name, port in stack.ports.items()},
            "REPLICA_KEY": REPLICA_KEY,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(redis_port),
            "LITELLM_MASTER_KEY": MASTER_KEY,
            "SEATS_FILE": str(seats),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
        }
        command = [LITELLM, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(gateway_port)]
        log = folder / "gateway.log"
        gateway = ends.enter_context(_running(command, log, around, folder / "gateway"))
        wait_for(f"{stack.url}/health/liveliness", gateway, log)
        yield stack


@contextmanager
def _running(
    command: list[str], log: Path, environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a program answers; the gateway's imports take most of a minute on a slow machine."""
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
