"""The device benchmark really trains and classifies; its shares are taken apart by hand."""

import json

import pytest
import torch

from buddy.bench.device import DeviceSpeed, Share, _timed, bench_device, matrix_rate
from buddy.training.device import Device, choose_device


def test_training_and_classification_are_measured_against_large_matrices(monkeypatch):
    steps = 0
    take_step = torch.optim.AdamW.step

    def count(optimizer, *arguments, **named):
        nonlocal steps
        steps += 1
        return take_step(optimizer, *arguments, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", count)
    measured = bench_device("scratch:tiny", width=32, rows=8, steps=80, texts=30, compiled=False)
    assert 40 < steps < 160  # rows are not quite full, so it is about so many
    assert len(measured.training.tokens_per_second) == 3  # of four parts the first does not count
    assert 0 < measured.share(measured.training) < 1
    assert 0 < measured.share(measured.classification) < 1
    weights = 2 * 12 * 64 * 64  # two layers of 64: attention 4, thinking 8 squares each
    skipped = 9 * 64 * 64  # of the top layer, which works on one token of a text once all have looked at each other
    assert measured.classification.teraflop_per_token == pytest.approx(2 * (weights - skipped) / 1e12)
    assert measured.training.teraflop_per_token == pytest.approx(6 * (weights + 64 * 8192) / 1e12, rel=0.01)


def test_the_yardstick_is_what_the_machine_multiplies():
    assert 0.001 < matrix_rate(choose_device("cpu")) < 10_000


@pytest.mark.parametrize(("name", "waits"), [("cuda", 6), ("mps", 6), ("cpu", 0)])
def test_an_accelerator_is_waited_for(monkeypatch, name, waits):
    calls = []
    for one in (torch.accelerator, torch.cuda, torch.mps):
        monkeypatch.setattr(one, "synchronize", lambda: calls.append(1))
    assert len(_timed(lambda: None, Device(name, "fp32", "as asked"))) == 5
    assert len(calls) == waits


def test_shares_are_of_the_median_part():
    speed = DeviceSpeed("a card", 124, 500.0, Share([10, 1_000, 90], 2.5), Share([40], 0.5), 2.0)
    assert speed.share(speed.training) == 90 * 2.5 / 500
    assert json.loads(json.dumps(speed.to_json()))["shares"] == {"training": 0.45, "classification": 0.04}
