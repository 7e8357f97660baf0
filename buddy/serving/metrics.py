"""What the service counts, in the format of Prometheus: how much and how long, never what was said."""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64)
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where worker processes of one service put their counts together; prometheus-client reads it when it is imported."""


class Metrics:
    """The counts of one service; each instance begins at zero."""

    def __init__(self) -> None:
        """Make the counters."""
        self.registry = CollectorRegistry()
        self.requests = self._counter("buddy_requests", "Requests.", "route", "status")
        self.seconds = self._histogram(
            "buddy_request_seconds", "From the request to the end of the response.", SECONDS, "route"
        )
        self.running = self._gauge("buddy_requests_running", "Requests that are being answered.")
        self.batch_texts = self._histogram("buddy_batch_texts", "Texts classified together.", SIZES)
        self.batch_wait = self._histogram(
            "buddy_batch_wait_seconds", "How long the oldest text of a batch waited.", SECONDS
        )
        self.waiting_texts = self._gauge("buddy_texts_waiting", "Texts that wait to be classified.")
        self.replies_inside = self._gauge("buddy_replies_inside", "Replies that wait or are being written.")
        self.first_piece = self._histogram(
            "buddy_first_word_seconds", "From the request to the first word of a reply.", SECONDS
        )
        self.tokens = self._counter("buddy_tokens", "Tokens of conversations.", "direction")
        self.safety = self._counter("buddy_safety", "What the crisis guard found in messages.", "level")
        self.refused = self._counter("buddy_refused", "Requests sent away.", "reason")
        self.broken_off = self._counter("buddy_broken_off", "Streams that ended in an error.")

    def render(self) -> bytes:
        """Give all counts; with several worker processes, those of all of them together."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self.registry)
        _forget_dead_workers(Path(os.environ[FOLDER_VARIABLE]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, registry=self.registry)

    def _histogram(self, name: str, documentation: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, documentation, labels, buckets=buckets, registry=self.registry)

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
