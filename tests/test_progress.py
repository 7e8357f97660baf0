import io
import re
from contextlib import redirect_stderr

import pytest

from buddy import progress as progress_module
from buddy.progress import progress


class Terminal(io.StringIO):
    """A stand-in for a terminal: rich asks a file whether it is one."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    return Terminal()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told to move on.

    Only what shows progress looks at it. With ``time.monotonic`` itself replaced, a service that another test left
    running in this process would wait until the real clock is reached.
    """

    class Clock:
        now = 100.0

    for where in ("buddy.progress", "rich.console"):
        monkeypatch.setattr(f"{where}.monotonic", lambda: Clock.now)
    return Clock


def without_codes(shown: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)


class TestPlainLines:
    def test_say_how_far_how_fast_and_how_long_yet(self, capsys, clock):
        with progress("training", total=4000, unit="steps", done=1000) as bar:
            bar.advance(1)
            clock.now += 10
            bar.advance(499, note="loss 2.345")
        out, err = capsys.readouterr()
        assert (out, err) == ("", "training: 1,500 steps of 4,000 steps, 50 steps/s, 0:50 left  loss 2.345\n")

    def test_come_at_most_once_in_the_interval(self, capsys, clock, monkeypatch):
        monkeypatch.setattr(progress_module, "SECONDS_BETWEEN_PLAIN_LINES", 3.0)
        with progress("reading", total=None, unit="rows") as bar:
            for _ in range(10):
                clock.now += 1
                bar.advance()
        assert capsys.readouterr().err == "".join(f"reading: {n} rows, 1 rows/s\n" for n in (3, 6, 9))

    def test_stay_away_from_quick_work(self, capsys):
        with progress("reading", total=2) as bar:
            bar.advance(2, note="done")
        assert capsys.readouterr() == ("", "")

    def test_show_bytes_in_readable_units(self, capsys, clock):
        with progress("download", total=28_022_709, unit="B") as bar:
            clock.now += 20
            bar.advance(7_000_000)
            clock.now += 7200
            bar.advance(0)
        assert capsys.readouterr().err.splitlines() == [
            "download: 7 MB of 28 MB, 350 kB/s, 1:00 left",
            "download: 7 MB of 28 MB, 970 B/s, 6:01:23 left",
        ]

    def test_between_them_lines_can_be_said(self, capsys):
        with progress("training", total=1) as bar:
            bar.say("step 1   loss 2.0")
        assert capsys.readouterr().err == "step 1   loss 2.0\n"


class TestLiveBar:
    @pytest.mark.parametrize(("unit", "amounts"), [("steps", "1500/1500"), ("B", "1.5/1.5 kB")])
    def test_shows_title_amounts_and_note(self, terminal, unit, amounts):
        with redirect_stderr(terminal), progress("training", total=1500, unit=unit, done=500) as bar:
            bar.advance(250, note="loss 2.345")
            bar.advance(750)
        last = without_codes(terminal.getvalue()).splitlines()[-1]
        assert re.match(r"training ━+ ", last)
        assert amounts in last
        assert last.rstrip().endswith("loss 2.345")

    def test_has_a_rate_in_the_unit_and_the_time_left(self, terminal, clock):
        with redirect_stderr(terminal), progress("training", total=100, unit="steps") as bar:
            for _ in range(5):
                clock.now += 0.5
                bar.advance(2)
        assert "10/100 4 steps/s 0:00:23" in without_codes(terminal.getvalue())

    def test_says_lines_above_it_as_they_are(self, terminal):
        with redirect_stderr(terminal), progress("training", total=2) as bar:
            bar.say("step 1 [bold]is not markup[/bold]")
        assert "step 1 [bold]is not markup[/bold]\n" in without_codes(terminal.getvalue())

    def test_writes_nothing_to_stdout(self, terminal, capsys):
        with redirect_stderr(terminal), progress("training", total=2) as bar:
            bar.advance(2)
        assert terminal.getvalue()
        assert capsys.readouterr().out == ""
