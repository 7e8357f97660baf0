"""When a run ends early: because it no longer gets better, or because somebody asked it to."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class EarlyStopping:
    """Remembers the best evaluation and counts those since. Part of what a checkpoint holds.

    Attributes:
        patience: so many evaluations without a new best end the run; 0 never ends it.
        best_score: the highest score so far, higher being better.
        best_step: the step at which it was seen.
        evaluations_since: evaluations without a new best.
    """

    patience: int
    best_score: float | None = None
    best_step: int = 0
    evaluations_since: int = 0

    def is_new_best(self, score: float, step: int) -> bool:
        """Take note of an evaluation and say whether its model is the one to keep.

        Example:
            >>> stopping = EarlyStopping(patience=2)
            >>> [stopping.is_new_best(score, step) for step, score in enumerate([0.3, 0.5, 0.4, 0.5])]
            [True, True, False, False]
            >>> stopping.is_exhausted()
            True
        """
        if self.best_score is None or score > self.best_score:
            self.best_score, self.best_step, self.evaluations_since = score, step, 0
            return True
        self.evaluations_since += 1
        return False

    def is_exhausted(self) -> bool:
        """Say whether patience has run out."""
        return 0 < self.patience <= self.evaluations_since


@dataclass
class StopRequest:
    """Whether somebody wants the run to end, and by which signal."""

    signal_number: int | None = None

    def __bool__(self) -> bool:
        return self.signal_number is not None


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn Ctrl-C and SIGTERM into a request that the loop answers between two steps; a second one kills."""
    request = StopRequest()

    def remember(number: int, _frame: FrameType | None) -> None:
        request.signal_number = number
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, remember)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
