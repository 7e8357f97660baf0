"""Long work says how far it is: a live bar on a terminal, a plain line now and then anywhere else.

Everything goes to stderr, so that results on stdout can be piped.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

SECONDS_BETWEEN_PLAIN_LINES = 10.0


class Progress(Protocol):
    """What the working loop sees of a progress display."""

    def advance(self, amount: float = 1, note: str | None = None) -> None:
        """Move on by ``amount`` units; ``note`` replaces the short text at the end of the line."""

    def say(self, line: str) -> None:
        """Print a line above the bar."""


@contextmanager
def progress(
    title: str, total: float | None, unit: str = "it", done: int = 0, shown: bool = True
) -> Iterator[Progress]:
    """Show the progress of the block that follows.

    Args:
        title: what is being done, in a word or two.
        total: how many units there are; ``None`` when nobody knows.
        unit: what is counted: ``"texts"``, ``"steps"``, or ``"B"`` for bytes, shown as kB, MB, GB.
        done: units finished before this block began (a resumed download or run); not part of the rate.
        shown: false for the processes that leave the talking to another one.

    Example:
        >>> with progress("reading", total=2, unit="rows") as bar:
        ...     bar.advance()
        ...     bar.advance(note="last one")
    """
    if not shown:
        yield _Silence()
    elif sys.stderr.isatty():
        with _live_bar(title, total, unit, done) as bar:
            yield bar
    else:
        yield _PlainLines(title, total, unit, done)


class _Silence:
    """Progress that nobody sees."""

    def advance(self, amount: float = 1, note: str | None = None) -> None:
        pass

    def say(self, line: str) -> None:
        pass


class _PlainLines:
    """Progress for logs and pipes: at most one line in ten seconds, nothing for work that is quicker."""

    def __init__(self, title: str, total: float | None, unit: str, done: float) -> None:
        self.title, self.total, self.unit, self.done = title, total, unit, done
        self.already_done = done
        self.started = self.last_line = monotonic()
        self.note = ""

    def advance(self, amount: float = 1, note: str | None = None) -> None:
        self.done += amount
        self.note = self.note if note is None else note
        now = monotonic()
        if now - self.last_line >= SECONDS_BETWEEN_PLAIN_LINES:
            self.last_line = now
            self.say(self._line(now))

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        rate = (self.done - self.already_done) / max(now - self.started, 1e-9)
        of_total = "" if self.total is None else f" of {_amount(self.total, self.unit)}"
        left = "" if self.total is None or rate == 0 else f", {_clock((self.total - self.done) / rate)} left"
        note = f"  {self.note}" if self.note else ""
        return f"{self.title}: {_amount(self.done, self.unit)}{of_total}, {_amount(rate, self.unit)}/s{left}{note}"


@contextmanager
def _live_bar(title: str, total: float | None, unit: str, done: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as RichProgress

    counts: tuple[ProgressColumn, ...] = (
        (DownloadColumn(), TransferSpeedColumn())
        if unit == "B"
        else (MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    )
    columns = (TextColumn("{task.description}"), BarColumn(), *counts, TimeRemainingColumn())
    display = RichProgress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True))

    class LiveBar:
        def __init__(self, task: TaskID) -> None:
            self.task = task

        def advance(self, amount: float = 1, note: str | None = None) -> None:
            speed = display.tasks[self.task].speed
            display.update(self.task, advance=amount, rate=f"{speed:.3g} {unit}/s" if speed else "")
            if note is not None:
                display.update(self.task, note=note)

        def say(self, line: str) -> None:
            display.console.print(line, highlight=False, markup=False)

    with display:
        yield LiveBar(display.add_task(title, total=total, completed=done, rate="", note=""))


def _amount(value: float, unit: str) -> str:
    if unit != "B":
        return f"{value:,.0f} {unit}" if value >= 10 or value == int(value) else f"{value:.2g} {unit}"
    for prefix in ("", "k", "M"):
        if value < 1000:
            return f"{value:.3g} {prefix}B"
        value /= 1000
    return f"{value:.3g} GB"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
