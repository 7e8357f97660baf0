"""What the service counts, in the format of Prometheus: how much and how long, never what was said."""

import contextlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64)
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where worker processes of one service put their counts together; prometheus-client reads it when it is imported."""


@dataclass(frozen=True)
class Metrics:
    """The counts of one service; each instance begins at zero."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    running: Gauge = field(init=False)
    batch_texts: Histogram = field(init=False)
    batch_wait: Histogram = field(init=False)
    waiting_texts: Gauge = field(init=False)
    replies_inside: Gauge = field(init=False)
    first_piece: Histogram = field(init=False)
    tokens: Counter = field(init=False)
    safety: Counter = field(init=False)
    refused: Counter = field(init=False)
    broken_off: Counter = field(init=False)

    def __post_init__(self) -> None:
        """Make the counters."""
        made = {
            "requests": Counter("buddy_requests", "Requests.", ["route", "status"], registry=self.registry),
            "seconds": Histogram(
                "buddy_request_seconds", "From the request to the end of the response.", ["route"],
                buckets=SECONDS, registry=self.registry,
            ),
            "running": self._gauge("buddy_requests_running", "Requests that are being answered."),
            "batch_texts": Histogram(
                "buddy_batch_texts", "Texts classified together.", buckets=SIZES, registry=self.registry
            ),
            "batch_wait": Histogram(
                "buddy_batch_wait_seconds", "How long the oldest text of a batch waited.",
                buckets=SECONDS, registry=self.registry,
            ),
            "waiting_texts": self._gauge("buddy_texts_waiting", "Texts that wait to be classified."),
            "replies_inside": self._gauge("buddy_replies_inside", "Replies that wait or are being written."),
            "first_piece": Histogram(
                "buddy_first_word_seconds", "From the request to the first word of a reply.",
                buckets=SECONDS, registry=self.registry,
            ),
            "tokens": Counter("buddy_tokens", "Tokens of conversations.", ["direction"], registry=self.registry),
            "safety": Counter(
                "buddy_safety", "What the crisis guard found in messages.", ["level"], registry=self.registry
            ),
            "refused": Counter("buddy_refused", "Requests sent away.", ["reason"], registry=self.registry),
            "broken_off": Counter("buddy_broken_off", "Streams that ended in an error.", registry=self.registry),
        }  # fmt: skip
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    def render(self) -> bytes:
        """Give all counts; with several worker processes, those of all of them together."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self.registry)
        _forget_dead_workers(Path(os.environ[FOLDER_VARIABLE]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(name, documentation, registry=self.registry, multiprocess_mode="livesum")


def _forget_dead_workers(folder: Path) -> None:
    """Let what runs and waits in a process end with it; what it has counted stays."""
    for process in {int(file.stem.rsplit("_", 1)[1]) for file in folder.glob("gauge_live*.db")}:
        if not _is_alive(process):
            with contextlib.suppress(FileNotFoundError):  # another worker has just done it
                mark_process_dead(process)  # type: ignore[no-untyped-call]


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # where asking with a signal would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
