"""Several processes train one model, as `torchrun --nproc-per-node 2 -m buddy train …` starts them."""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from buddy.training.device import choose_device
from buddy.training.optimizer import make_optimizer, optimizer_tensors
from buddy.training.sharding import is_sharded, shard
from tests.conftest import tiny_gpt2
from tests.training.conftest import QUICK_RUN, as_options, curves
from tests.training.processes import SECONDS, Command, Starter
from tests.training.test_resume import wait_for

SETTINGS = {
    **QUICK_RUN,
    "batch_size": 7,  # the last step of an epoch has 6 documents, the others an odd number
    "dropout": 0.0,
    "number_format": "fp32",
}


FIFTY_STEPS = {**SETTINGS, "epochs": 50 / 7, "evaluations_per_epoch": 7, "patience": 0}
"""A point on the curves for every step."""

SIX_EPOCHS = {**SETTINGS, "epochs": 6.0, "patience": 0}
"""Twelve points."""


@pytest.fixture
def start_several(start_buddy: Starter) -> Callable[..., list[Command]]:
    """Start the same command several times, with the environment that a launcher gives to its processes."""

    def start(processes: int, *arguments: object) -> list[Command]:
        number, port = str(processes), str(free_port())
        common = {"WORLD_SIZE": number, "LOCAL_WORLD_SIZE": number, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        return [
            start_buddy(*arguments, environment={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)})
            for rank in range(processes)
        ]

    return start


@pytest.fixture(scope="module")
def alone(moods: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Train in this process alone, once with the same settings; gives the run directory, not to be changed."""
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run
    from buddy.training.settings import TrainSettings

    @cache
    def run(**settings: Any) -> Path:
        out = tmp_path_factory.mktemp("alone") / "run"
        start_run(TrainSettings(data=moods, out=out, **settings), make_evaluate)
        return out

    return run


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def assert_nearly_the_same_curves(run: Path, other: Path) -> None:
    for found, expected in zip(curves(run), curves(other), strict=True):
        assert found == pytest.approx(expected, rel=1e-5)


def test_learn_the_same_as_one_and_only_the_first_speaks_and_writes(start_several, alone, moods, tmp_path):
    first, second = start_several(2, "train", "--data", moods, "--out", "together", *as_options(SETTINGS))
    assert (first.wait(), second.wait()) == (0, 0), first.err + second.err
    assert_nearly_the_same_curves(tmp_path / "together", alone(**SETTINGS))
    assert "Next:  buddy evaluate together" in first.out
    assert first.err.count("\nstep ") == len(curves(tmp_path / "together"))
    assert second.out == ""
    assert "step " not in second.err


@pytest.mark.parametrize(("processes", "more"), [(2, ()), (4, ()), (2, ("--shard",))], ids=["2", "4", "2 that share"])
def test_have_the_curve_of_one_for_fifty_steps(start_several, alone, moods, tmp_path, processes, more):
    options = (*as_options(FIFTY_STEPS), *more)
    commands = start_several(processes, "train", "--data", moods, "--out", "together", *options)
    assert [command.wait() for command in commands] == [0] * processes, commands[0].err
    assert len(curves(tmp_path / "together")) == 50
    assert_nearly_the_same_curves(tmp_path / "together", alone(**FIFTY_STEPS))


def test_that_share_a_model_run_it_equally_often(start_several, alone, moods, tmp_path):
    """Of 7 documents one has 4 and the other 3, a pass each; who is done runs along, or both would wait for ever."""
    settings = {**SETTINGS, "epochs": 1.0, "tokens_per_pass": 1}
    commands = start_several(2, "train", "--data", moods, "--out", "together", *as_options(settings), "--shard")
    assert [command.wait() for command in commands] == [0, 0], commands[0].err
    assert_nearly_the_same_curves(tmp_path / "together", alone(**settings))


def save_averages(rank: int, port: int, file: Path) -> None:
    """Take a step, of two processes that share a model if there is a port, and save the averages that one is given."""
    model = tiny_gpt2()
    if port:
        torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", world_size=2, rank=rank)
        shard(model, choose_device("cpu", "fp32"))
        assert is_sharded(model)
    optimizer = make_optimizer(model, 0.1)
    for parameter in model.parameters():
        parameter.grad = parameter.detach().clone()
    optimizer.step()
    save_file(optimizer_tensors(model, optimizer), file)


def test_that_share_a_model_give_all_averages_to_the_first_alone(command_server, tmp_path):
    port, start = free_port(), multiprocessing.get_context("forkserver").Process
    both = [start(target=save_averages, args=(rank, port, tmp_path / f"{rank}")) for rank in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(SECONDS)
    assert [process.exitcode for process in both] == [0, 0]
    save_averages(0, 0, tmp_path / "alone")
    first, second, alone = (load_file(tmp_path / name) for name in ("0", "1", "alone"))
    assert second == {}
    torch.testing.assert_close(first, alone)


@pytest.mark.parametrize(
    ("before", "after", "more"), [(2, 4, ()), (4, 1, ()), (2, 3, ("--shard",)), (2, 1, ("--shard",))]
)
def test_go_on_in_another_number(start_several, start_buddy, alone, moods, tmp_path, before, after, more):
    arguments = ("train", "--data", moods, "--out", "together", *as_options(SIX_EPOCHS))
    commands = start_several(before, *arguments, *more)
    wait_for((tmp_path / "together" / "last").exists, commands[0])
    os.kill(commands[-1].process.pid, signal.SIGTERM)
    assert [command.wait() for command in commands] == [143] * before
    assert len(curves(tmp_path / "together")) < 12
    resume = ("train", "--resume", "--out", "together")
    commands = start_several(after, *resume) if after > 1 else [start_buddy(*resume)]
    assert [command.wait() for command in commands] == [0] * after, commands[0].err
    assert_nearly_the_same_curves(tmp_path / "together", alone(**SIX_EPOCHS))


def test_all_end_when_one_is_killed_and_the_others_say_so(start_several, moods, tmp_path):
    settings = {**SETTINGS, "epochs": 200.0, "patience": 0}
    commands = start_several(3, "train", "--data", moods, "--out", "together", *as_options(settings))
    wait_for((tmp_path / "together" / "last").exists, commands[0])
    commands[1].process.kill()
    assert [command.wait() for command in commands] == [1, -signal.SIGKILL, 1]
    for command in (commands[0], commands[2]):
        assert "has lost another one" in command.err
        assert "start all of them again with --resume --out together" in command.err
        assert "Traceback" not in command.err
    assert (tmp_path / "together" / "last").exists()


def test_end_together_when_one_is_asked_to_and_go_on_together(start_several, alone, moods, tmp_path):
    both = start_several(2, "train", "--data", moods, "--out", "together", *as_options(SIX_EPOCHS))
    wait_for((tmp_path / "together" / "last").exists, both[0])
    os.kill(both[1].process.pid, signal.SIGTERM)
    codes = [command.wait() for command in both]
    assert len(curves(tmp_path / "together")) < 12
    assert codes == [143, 143]
    assert "Go on with: buddy train --resume --out together" in both[0].out

    both = start_several(2, "train", "--resume", "--out", "together")
    assert [command.wait() for command in both] == [0, 0], both[0].err
    assert_nearly_the_same_curves(tmp_path / "together", alone(**SIX_EPOCHS))


@pytest.mark.slow
def test_a_launcher_can_start_them(moods, tmp_path, alone):
    import subprocess

    options = [str(option) for option in as_options({**SETTINGS, "epochs": 1.0})]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "buddy"]
    subprocess.run(
        [*launch, "train", "--data", str(moods), "--out", "together", *options],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    assert_nearly_the_same_curves(tmp_path / "together", alone(**{**SETTINGS, "epochs": 1.0}))
