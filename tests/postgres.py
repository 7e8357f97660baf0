"""A PostgreSQL server of the tests' own, where one is installed."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class PostgresServer:
    """A server that listens at a socket in its own folder."""

    def __init__(self, home: Path) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not binaries or (os.geteuid() == 0 and not shutil.which("runuser")):
            pytest.skip("no PostgreSQL server is installed")
        self.home = home
        self.url = f"postgresql://buddy@/postgres?host={home}"
        self._folder = binaries[-1].parent
        self._prefix: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            for one in (home, *home.parents[:3]):
                one.chmod(0o755)
            shutil.chown(home, "postgres")
            self._prefix = ["runuser", "-u", "postgres", "--"]
        self._run("initdb", "-A", "trust", "-U", "buddy", "-E", "UTF8")

    def start(self) -> None:
        options = f"-k {self.home} -c listen_addresses="
        self._run("pg_ctl", "-w", "-l", str(self.home / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._prefix, str(self._folder / program), "-D", str(self.home / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def postgres_server(home: Path) -> Iterator[PostgresServer]:
    """Run a server while the block lasts."""
    server = PostgresServer(home)
    server.start()
    try:
        yield server
    finally:
        server.stop()
