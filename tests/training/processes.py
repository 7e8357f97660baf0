"""`buddy` as a process of its own, to be killed: forked from one that has imported everything, so it starts at once."""

import multiprocessing
import multiprocessing.forkserver
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

IMPORTED_ONCE = ["pytest", "buddy.cli.commands", "buddy.training.run", "buddy.evaluation.during_training", "peft"]
SECONDS = 60


@dataclass
class Command:
    """A running ``buddy`` and where its two streams go."""

    process: ForkServerProcess
    log: Path

    def wait(self) -> int | None:
        """Wait for its end; the exit code is negative for a signal."""
        self.process.join(SECONDS)
        if self.process.is_alive():
            self.process.kill()
            raise TimeoutError(f"still running after {SECONDS} s: {self.err}")
        return self.process.exitcode

    @property
    def out(self) -> str:
        return self.log.with_suffix(".out").read_text()

    @property
    def err(self) -> str:
        return self.log.with_suffix(".err").read_text()


@dataclass
class Starter:
    """Starts commands; each gets its logs in ``folder``."""

    folder: Path
    started: int = 0

    def __call__(self, *arguments: object, environment: Mapping[str, str] | None = None) -> Command:
        """Start ``buddy`` with these arguments."""
        self.started += 1
        log = self.folder / f"command-{self.started}"
        context = multiprocessing.get_context("forkserver")
        process = context.Process(
            target=_run_buddy, args=([str(a) for a in arguments], dict(environment or {}), log), daemon=True
        )
        process.start()
        return Command(process, log)


def start_server(environment: Mapping[str, str]) -> None:
    """Start the process from which the commands are forked; what it imports sees this environment."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(IMPORTED_ONCE)
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run_buddy(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    for number, suffix in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(log.with_suffix(suffix), os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.update(environment)
    os.chdir(log.parent)
    sys.argv = ["buddy", *arguments]
    from buddy.cli import main

    main()
