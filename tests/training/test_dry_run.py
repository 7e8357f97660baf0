"""What a run will need, told before it begins, and compared with what it then took."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from buddy.evaluation.during_training import make_evaluate
from buddy.training.backbone import SCRATCH_SHAPES, Shape
from buddy.training.dry_run import Estimate, as_table, estimate_run
from buddy.training.loop import Sums
from buddy.training.loss import learned_loss
from buddy.training.run import meet_processes, read_and_build
from tests.training.conftest import QUICK_RUN, as_options, curves


def estimate(settings) -> Estimate:
    training, _ = read_and_build(settings, make_evaluate, *meet_processes(settings), is_new=True)
    return estimate_run(training)


def test_the_command_prints_a_table_and_writes_nothing(buddy, moods):
    options = as_options({**QUICK_RUN, "batch_size": 48})
    code, out, _ = buddy("train", "--data", moods, "--dry-run", *options)
    assert code == 0
    assert list(Path().iterdir()) == []
    names = [line.split("  ")[0] or line.split()[0] for line in out.splitlines()]
    assert names == [
        "parameters", "memory", "weights", "gradients", "optimizer", "activations", "steps", "time", "steps",
        "evaluations",
    ]  # fmt: skip
    assert re.search(r"^parameters +0\.\d\dM  0\.\d\dM of them trained$", out, flags=re.MULTILINE)
    assert re.search(r"^steps +3  at most; 1 an epoch$", out, flags=re.MULTILINE)


def test_a_run_that_is_there_is_left_alone(buddy, train, quick):
    run = train()
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    code, out, _ = buddy("train", "--data", quick.data, "--out", run, "--dry-run", *as_options(QUICK_RUN))
    assert (code, bool(out)) == (0, True)
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before


@pytest.mark.parametrize(("epochs", "per_epoch"), [(3.0, 2), (0.5, 2), (0.7, 4), (1.5, 4), (1.2, 100)])
def test_steps_and_evaluations_are_those_that_the_run_takes(quick, train, epochs, per_epoch):
    changes = {"epochs": epochs, "evaluations_per_epoch": per_epoch, "patience": 0}
    found, points = estimate(replace(quick, **changes)), curves(train(**changes))
    assert found.steps == points[-1]["step"]
    assert found.evaluations == len(points)


def test_weights_gradients_and_sums_are_counted_byte_by_byte(quick):
    whole, adapted = estimate(quick), estimate(replace(quick, lora_rank=2, backbone="base"))
    assert whole.trained == whole.parameters
    assert whole.memory.weights == whole.memory.gradients == 4 * whole.parameters
    assert whole.memory.optimizer == 8 * whole.parameters
    assert adapted.trained < adapted.parameters / 10
    assert adapted.memory.weights >= 4 * adapted.parameters
    assert (adapted.memory.gradients, adapted.memory.optimizer) == (4 * adapted.trained, 8 * adapted.trained)


def test_activations_follow_tokens_per_pass_and_what_is_kept(quick, monkeypatch):
    monkeypatch.setitem(SCRATCH_SHAPES, "scratch:tiny", Shape(layers=8, width=64, heads=2))
    quick = replace(quick, batch_size=32)
    wide, narrow = estimate(replace(quick, tokens_per_pass=600)), estimate(replace(quick, tokens_per_pass=150))
    assert wide.largest_pass == pytest.approx(600, rel=0.2)
    assert narrow.largest_pass == pytest.approx(150, rel=0.2)
    assert 2.5 < wide.memory.activations / narrow.memory.activations < 6
    kept_less = estimate(replace(quick, tokens_per_pass=600, gradient_checkpointing=True))
    assert kept_less.memory.activations < 0.4 * wide.memory.activations


def test_an_evaluation_that_holds_more_than_a_step_is_told_instead(quick):
    def evaluate(model: torch.nn.Module, split: str, share: int, shares: int) -> Sums:
        texts = len(range(4)[share::shares])
        logits = torch.zeros(50_000_000 * bool(texts), dtype=torch.uint8)
        return Sums(texts=texts, loss=float(logits.numel()))

    training, _ = read_and_build(quick, lambda *_: evaluate, *meet_processes(quick), is_new=True)
    found = estimate_run(training)
    memory = found.memory
    assert memory.evaluation == pytest.approx(50_000_000, abs=1000)
    assert memory.together == memory.weights + memory.optimizer + memory.evaluation
    assert "  evaluation     50.0 MB  instead of gradients and activations\n" in as_table(found)


def test_memory_that_runs_out_is_one_sentence(buddy, moods, monkeypatch):
    """It does not send anybody to the run that stands in the folder."""
    Path("runs/emotion").mkdir(parents=True)
    Path("runs/emotion/config.yaml").touch()

    def run_out(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("buddy.training.loop.learned_loss", run_out)
    sentence = "Memory ran out (cpu, 2,048 tokens a pass); try --tokens-per-pass 1024 or --gradient-checkpointing."
    assert buddy("train", "--data", moods, "--dry-run", *as_options(QUICK_RUN)) == (1, "", f"buddy: {sentence}\n")


def test_time_is_measured_on_real_steps(quick, monkeypatch):
    real = learned_loss

    def slow(*arguments):
        time.sleep(0.2)
        return real(*arguments)

    monkeypatch.setattr("buddy.training.loop.learned_loss", slow)
    found = estimate(quick)
    assert 0.2 < found.seconds_per_step < 1
    assert found.seconds == found.steps * found.seconds_per_step + found.evaluations * found.seconds_per_evaluation


def test_an_evaluation_takes_the_time_of_the_sample_that_it_scores(quick, monkeypatch):
    """On a clock that a second passes on with every text."""
    scored, seconds = {"train": 2, "valid": 12}, 0  # of 48 and 12

    def evaluate(model: torch.nn.Module, split: str, share: int, shares: int) -> Sums:
        nonlocal seconds
        texts = len(range(scored[split])[share::shares])
        seconds += texts
        return Sums(texts=texts)

    monkeypatch.setattr("buddy.training.dry_run.TEXTS_JUDGED", 4)
    monkeypatch.setattr("buddy.training.dry_run.time", SimpleNamespace(perf_counter=lambda: seconds))
    training, _ = read_and_build(quick, lambda *_: evaluate, *meet_processes(quick), is_new=True)
    assert estimate_run(training).seconds_per_evaluation == 2 + 12


MEASURE = """
import sys
from dataclasses import replace
from pathlib import Path
from buddy.training.settings import TrainSettings
import buddy.training.dry_run
from tests.training.test_dry_run import estimate

buddy.training.dry_run.STEPS_MEASURED = 1  # more of them take time, not memory

def held(name):
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

tiny = TrainSettings(
    Path(sys.argv[1]), Path("run"), backbone="scratch:tiny", vocabulary_size=400, batch_size=48,
    tokens_per_pass=10_000, device="cpu", number_format="fp32", gradient_checkpointing=sys.argv[2] == "twice",
)
estimate(tiny)  # so that the libraries have made what they make once
before = held("VmRSS")
found = estimate(replace(tiny, backbone="scratch:small"))
print(found.memory.together, held("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("layers", ["once", "twice"])
def test_memory_is_what_a_process_then_takes(moods, tmp_path, layers):
    """The process takes somewhat more: an allocator keeps pieces that it cannot use."""
    repository = Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, str(moods), layers],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    told, taken = map(int, result.stdout.split())
    assert 0.8 < taken / told < 1.9
