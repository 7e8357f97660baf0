"""The service on a port of this machine, in this process or in its own."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from buddy.serving.app import create_app
from buddy.serving.service_settings import ServiceSettings


@dataclass
class Served:
    """A service that runs in a thread of this process."""

    url: str
    app: object


@contextlib.contextmanager
def served(settings: ServiceSettings) -> Iterator[Served]:
    """Serve while the block lasts, at a free port."""
    app = create_app(settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, http="buddy.serving.patience:PatientProtocol", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app)
        finally:
            server.should_exit = True
            thread.join(60)  # a client that takes nothing is waited for
            left = server.server_state
            assert not thread.is_alive(), [*(vars(one) for one in left.connections), *left.tasks]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class ServiceProcess:
    """`buddy serve` as a user starts it."""

    def __init__(self, *arguments: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "buddy", "serve", "--port", str(self.port), *arguments],
                stdout=file,
                stderr=file,
                env={**os.environ, **(environment or {})},
            )

    def wait_until_ready(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/ready", timeout=2).status_code == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        self.process.send_signal(how)
        return self.process.wait(seconds)


@contextlib.contextmanager
def service_process(
    *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[ServiceProcess]:
    """Run `buddy serve` while the block lasts."""
    service = ServiceProcess(*arguments, log=log, environment=environment)
    try:
        service.wait_until_ready()
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
