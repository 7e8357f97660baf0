"""Both sides of the training benchmark really train, on the same texts; the figures are taken apart by hand."""

import gc
import json
import signal
from pathlib import Path
from typing import cast

import pytest

from buddy.bench.train import (
    BenchTrainSettings,
    Comparison,
    Measured,
    _in_own_process,
    measure_buddy,
    measure_trainer,
)
from buddy.data.prepared import read_prepared
from buddy.errors import EnvironmentFault
from tests.bench.killed import be_killed


def small(moods: Path, **changes: int) -> BenchTrainSettings:
    return BenchTrainSettings(moods, backbone="scratch:tiny", batch_size=8, texts=24, rounds=1, **changes)


@pytest.mark.parametrize("measure", [measure_buddy, measure_trainer])
def test_a_side_trains_one_epoch_and_tells_its_speed_and_peak_memory(measure, moods, tmp_path, monkeypatch):
    import torch

    steps = 0
    take_step = torch.optim.AdamW.step

    def count(optimizer, *arguments, **named):
        nonlocal steps
        steps += 1
        return take_step(optimizer, *arguments, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", count)
    data = tmp_path / "data"
    data.symlink_to(moods)
    settings = BenchTrainSettings(moods, "scratch:tiny", batch_size=8, texts=48, rounds=1)
    measured = measure(settings, data)
    assert steps == 6  # 48 texts, 8 at a time
    assert measured.texts_per_second > 0
    assert measured.peak_megabytes > 100


def test_the_trainer_is_charged_for_its_own_model_alone(moods, tmp_path, monkeypatch):
    from transformers import PreTrainedModel, Trainer

    def models() -> list[PreTrainedModel]:
        gc.collect()
        return [one for one in gc.get_objects() if issubclass(type(one), PreTrainedModel) and one.device.type != "meta"]

    before = {id(one): one for one in models()}
    new: list[str] = []
    train = Trainer.train

    def look(trainer):
        new.extend(type(one).__module__ for one in models() if id(one) not in before)
        return train(trainer)

    monkeypatch.setattr(Trainer, "train", look)
    data = tmp_path / "data"
    data.symlink_to(moods)
    measure_trainer(small(moods), data)
    assert {name.split(".")[0] for name in new} == {"transformers"}


def test_the_texts_are_drawn_by_seed(moods, tmp_path):
    from buddy.bench.train import _take_some_texts

    drawn = [
        [
            example.id
            for example in read_prepared(_take_some_texts(small(moods, seed=seed), tmp_path / name)).examples("train")
        ]
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    ]
    assert len(set(drawn[0])) == 24
    assert drawn[0] == drawn[1] != drawn[2]


COMPARISON = Comparison(
    BenchTrainSettings(Path("data/moods")),
    buddy=[Measured(60.0, 500.0), Measured(50.0, 510.0), Measured(90.0, 500.0)],
    trainer=[Measured(10.0, 1000.0), Measured(5.0, 1000.0), Measured(30.0, 2000.0)],
)


def test_ratios_are_taken_within_a_round():
    assert COMPARISON.speed_ratios() == [6.0, 10.0, 3.0]
    assert COMPARISON.memory_ratios() == [0.5, 0.51, 0.25]
    assert COMPARISON.to_json()["speed_ratio"] == 6.0


NO_SETTINGS = cast(BenchTrainSettings, None)
"""Real ones would have the process that gets them import torch first."""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_side_that_is_killed_is_the_machines_fault_and_seen_at_once(number):
    with pytest.raises(EnvironmentFault, match="be_killed was killed, perhaps for want of memory"):
        _in_own_process(be_killed, NO_SETTINGS, Path(f"{number:d}"))


def test_a_folder_in_the_place_of_the_figures_is_refused_before_anything_is_measured(buddy, moods):
    assert buddy("bench", "train", "--data", moods, "--out", ".") == (
        2,
        "",
        "buddy: . is a folder; --out names a file.\n",
    )


def test_figures_that_cannot_be_written_are_printed_all_the_same(buddy, monkeypatch, moods):
    monkeypatch.setattr("buddy.bench.train.bench_train", lambda _: COMPARISON)
    Path("file").write_text("")
    code, out, err = buddy("bench", "train", "--data", moods, "--out", "file/bench.json")
    assert code == 2
    assert "buddy is 6.0 times as fast" in out
    assert err == "buddy: file: File exists; a folder is needed where a file stands.\n"


def test_the_command_prints_the_comparison_and_writes_it(buddy, monkeypatch, moods):
    monkeypatch.setattr("buddy.bench.train.bench_train", lambda _: COMPARISON)
    code, out, _ = buddy("bench", "train", "--data", moods, "--out", "bench.json")
    assert code == 0
    assert "buddy is 6.0 times as fast (3.0 to 10.0)" in out
    assert "buddy        60.0 texts/s   peak    500 MB" in out
    assert json.loads(Path("bench.json").read_text())["speed_ratios"] == [6.0, 10.0, 3.0]
