"""A run that was interrupted, however, ends with the same curves and the same weights, to the bit, as one that was not.

The processes are real and so are the signals. ``BUDDY_KILLS=10 pytest tests/training/test_resume.py`` kills more often.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from buddy.data.prepared import read_prepared, write_prepared
from buddy.errors import UserMistake
from tests.training.conftest import QUICK_RUN, as_options, assert_same_run, curves
from tests.training.processes import SECONDS, Command, Starter

KILLS = int(os.environ.get("BUDDY_KILLS", "3"))
OPTIONS = as_options({**QUICK_RUN, "save_minutes": 0})  # last/ is written after every step
LORA = {**QUICK_RUN, "lora_rank": 2, "epochs": 2.0}


class Crash(BaseException):
    """What stands in for a power cut: nothing in the code catches it."""


@pytest.fixture(scope="module")
def uninterrupted(command_server: None, moods: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A run that nobody disturbed, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    start = Starter(folder)
    assert start("--version").wait() == 0  # so that the imports are done and not part of the time
    started = time.monotonic()
    command = start("train", "--data", moods, "--out", "run", *OPTIONS)
    assert command.wait() == 0, command.err
    assert len(curves(folder / "run")) == 6
    return folder / "run", time.monotonic() - started


def wait_for(happened: Callable[[], bool], command: Command) -> None:
    """Wait until something can be seen in the run directory."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert command.process.is_alive(), command.err
        assert time.monotonic() < deadline
        time.sleep(0.002)


class TestKilled:
    def test_at_any_moment(self, start_buddy, uninterrupted, moods, tmp_path):
        reference, seconds = uninterrupted
        seed = time.time_ns() % 1_000_000
        print(f"moments drawn with seed {seed}")
        chance = random.Random(seed)
        kills = 0
        while kills < KILLS:
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            finished = False
            while not finished:
                began = (tmp_path / "run" / "config.yaml").exists()
                start = ["--resume"] if began else ["--data", moods, *OPTIONS]
                command = start_buddy("train", *start, "--out", "run")
                if kills < KILLS:
                    command.process.join(chance.uniform(0, seconds))
                    if command.process.is_alive():
                        command.process.kill()
                        kills += 1
                finished = command.wait() == 0
                assert command.process.exitcode in (0, -signal.SIGKILL), command.err
            assert_same_run(tmp_path / "run", reference)

    def test_while_it_learns(self, start_buddy, uninterrupted, moods, tmp_path):
        reference, _ = uninterrupted
        command = start_buddy("train", "--data", moods, *OPTIONS, "--out", "run")
        history = tmp_path / "run" / "history.jsonl"
        wait_for(lambda: history.exists() and history.read_text().count("\n") >= 2, command)
        command.process.kill()
        assert command.wait() == -signal.SIGKILL
        assert 2 <= len(curves(tmp_path / "run")) < 6
        command = start_buddy("train", "--resume", "--out", "run")
        assert command.wait() == 0, command.err
        assert "going on at step" in command.err
        assert_same_run(tmp_path / "run", reference)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_ends_and_says_how_to_go_on(start_buddy, uninterrupted, moods, tmp_path, number, code):
    reference, _ = uninterrupted
    options = as_options(QUICK_RUN)  # without saving at every step: the signal itself must save
    command = start_buddy("train", "--data", moods, *options, "--out", "run")
    wait_for((tmp_path / "run" / "last").exists, command)
    os.kill(command.process.pid, number)
    assert command.wait() == code
    assert command.out == f"Stopped by {number.name} and saved. Go on with: buddy train --resume --out run\n"
    assert "Traceback" not in command.err
    assert len(curves(tmp_path / "run")) < 6

    command = start_buddy("train", "--resume", "--out", "run")
    assert command.wait() == 0, command.err
    assert_same_run(tmp_path / "run", reference)


def test_in_a_later_chapter_of_data_beyond_memory(start_buddy, train, moods, tmp_path, monkeypatch):
    """A run that reads its data block by block goes on in the chapter in which it was stopped."""
    monkeypatch.setattr("buddy.data.prepared.ROWS_OF_A_BLOCK", 8)
    data = read_prepared(moods)
    (tmp_path / "blocks").mkdir()
    write_prepared(tmp_path / "blocks", {split: data.examples(split) for split in data.splits()})
    assert data.blocks("train") == [48]
    settings = {**QUICK_RUN, "documents_in_memory": 16, "evaluations_per_epoch": 6}
    reference = train("reference", data=tmp_path / "blocks", documents_in_memory=16, evaluations_per_epoch=6)
    command = start_buddy("train", "--data", tmp_path / "blocks", *as_options(settings), "--out", "run")
    wait_for(lambda: (tmp_path / "run" / "history.jsonl").exists() and len(curves(tmp_path / "run")) >= 3, command)
    command.process.kill()
    command.wait()
    assert 3 <= len(curves(tmp_path / "run")) < 18
    command = start_buddy("train", "--resume", "--out", "run")
    assert command.wait() == 0, command.err
    assert_same_run(tmp_path / "run", reference)


class TestCrashed:
    """At a chosen place in the order of writing, in this process."""

    @pytest.mark.parametrize(
        ("function", "call"),
        [
            ("buddy.training.loop.save_model", 1),
            ("buddy.training.loop.save_last", 1),
            ("buddy.training.checkpoint.append_history", 3),
            ("buddy.training.loop.save_last", 4),
            ("buddy.training.loop.save_last", 6),
        ],
        ids=[
            "before-best",
            "before-any-last",
            "between-best-and-history",
            "between-history-and-last",
            "at-the-very-end",
        ],
    )
    def test_between_two_writes(self, train, resume, uninterrupted, tmp_path, monkeypatch, function, call):
        crash_at(monkeypatch, function, lambda number, *_: number == call)
        with pytest.raises(Crash):
            train()
        monkeypatch.undo()
        resume(tmp_path / "run")
        assert_same_run(tmp_path / "run", uninterrupted[0])

    @pytest.mark.parametrize("folder", ["best", "last"])
    def test_between_the_two_renames_of_a_folder(self, train, resume, uninterrupted, tmp_path, monkeypatch, folder):
        """The old folder has been set aside and the new one has not taken its place yet."""
        crash_at(monkeypatch, "os.rename", lambda *_: (tmp_path / "run" / f".{folder}.old").exists())
        with pytest.raises(Crash):
            train()
        monkeypatch.undo()
        assert not (tmp_path / "run" / folder).exists()
        resume(tmp_path / "run")
        assert_same_run(tmp_path / "run", uninterrupted[0])
        assert {path.name for path in (tmp_path / "run").iterdir()} == {"config.yaml", "history.jsonl", "best", "last"}

    def test_with_adapters(self, train, resume, tmp_path, monkeypatch):
        reference = train("reference", **LORA)
        crash_at(monkeypatch, "buddy.training.loop.save_last", lambda number, *_: number == 3)
        with pytest.raises(Crash):
            train(**LORA)
        monkeypatch.undo()
        assert len(curves(tmp_path / "run")) == 3
        resume(tmp_path / "run")
        assert_same_run(tmp_path / "run", reference)
        adapters = "last/resume/adapter.safetensors"
        assert (tmp_path / "run" / adapters).read_bytes() == (reference / adapters).read_bytes()

    def test_in_the_middle_of_conversations_of_many_passes(self, train, resume, tmp_path, monkeypatch):
        """Packing, several passes a step and dropout: everything that could draw on a forgotten state."""
        settings = {"tokens_per_pass": 60, "dropout": 0.3, "text_weight": 0.5, "epochs": 2.0}
        reference = train("reference", **settings)
        crash_at(monkeypatch, "buddy.training.loop.save_last", lambda number, *_: number == 2)
        with pytest.raises(Crash):
            train(**settings)
        monkeypatch.undo()
        resume(tmp_path / "run")
        assert_same_run(tmp_path / "run", reference)


def crash_at(monkeypatch: pytest.MonkeyPatch, function: str, is_the_moment: Callable[..., bool]) -> None:
    """Let a function crash, before it does anything, when its number and arguments say so; and all that follow."""
    module, _, name = function.rpartition(".")
    original = getattr(sys.modules[module], name)
    calls = 0

    def crash(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if is_the_moment(calls, *arguments):
            raise Crash
        return original(*arguments)

    monkeypatch.setattr(function, crash)


class TestResumed:
    def test_a_finished_run_stays_as_it_is(self, train, resume, tmp_path):
        run = train(epochs=1.0)
        shutil.copytree(run, tmp_path / "before")
        resume(run)
        assert_same_run(run, tmp_path / "before")
        for name in ("history.jsonl", "config.yaml", "last/resume/optimizer.safetensors", "last/resume/position.json"):
            assert (run / name).read_bytes() == (tmp_path / "before" / name).read_bytes()

    def test_a_run_that_ran_out_of_patience_stays_as_it_is(self, train, resume):
        run = train(epochs=20.0, learning_rate=1e-9, patience=1, dropout=0.0, number_format="fp32", best_by="accuracy")
        points = curves(run)
        assert len(points) == 2
        resume(run)
        assert curves(run) == points

    def test_a_run_that_never_saved_begins_anew(self, train, resume, tmp_path, monkeypatch):
        crash_at(monkeypatch, "buddy.training.loop.save_last", lambda number, *_: number == 1)
        with pytest.raises(Crash):
            train(epochs=1.0)
        monkeypatch.undo()
        assert len(curves(tmp_path / "run")) == 1
        assert not (tmp_path / "run" / "last").exists()
        resume(tmp_path / "run")
        assert_same_run(tmp_path / "run", train("reference", epochs=1.0))

    @pytest.mark.parametrize("lost", ["last", "last/resume"])
    def test_a_run_that_has_lost_what_it_saved_is_left_alone(self, train, resume, lost):
        run = train(epochs=1.0)
        shutil.rmtree(run / lost)
        before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
        with pytest.raises(UserMistake, match=f"{run} has lost its folder last; start a new run with another --out"):
            resume(run)
        assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before

    def test_a_run_that_is_still_alive_is_left_alone(self, start_buddy, uninterrupted, moods, tmp_path):
        first = start_buddy("train", "--data", moods, *OPTIONS, "--out", "run")
        wait_for((tmp_path / "run" / "last").exists, first)
        os.kill(first.process.pid, signal.SIGSTOP)
        before = {file: file.stat().st_mtime_ns for file in (tmp_path / "run").rglob("*")}
        try:
            second = start_buddy("train", "--resume", "--out", "run")
            assert second.wait() == 2, second.err
            assert "Another process is at work on run; wait until it ends, or stop it." in second.err
            assert {file: file.stat().st_mtime_ns for file in (tmp_path / "run").rglob("*")} == before
        finally:
            os.kill(first.process.pid, signal.SIGCONT)
        assert first.wait() == 0, first.err
        assert_same_run(tmp_path / "run", uninterrupted[0])

    def test_seconds_since_the_last_evaluation_are_kept(self, train, tmp_path, monkeypatch):
        crash_at(monkeypatch, "buddy.training.loop.save_last", lambda number, *_: number == 3)  # at the evaluation
        with pytest.raises(Crash):
            train(epochs=1.0, save_minutes=0.0)
        monkeypatch.undo()
        state = json.loads((tmp_path / "run" / "last" / "resume" / "position.json").read_text())
        assert (state["position"]["step"], state["position"]["evaluations"]) == (2, 0)
        assert state["position"]["seconds"] > 0

    def test_the_untouched_folder_is_no_run(self, resume, tmp_path):
        with pytest.raises(UserMistake, match="is no run directory"):
            resume(tmp_path)
