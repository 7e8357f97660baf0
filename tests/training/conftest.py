"""Training runs in this process, and `buddy` as a process of its own with a hub on the loopback."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import tiny_gemma, tiny_gpt2, tiny_gpt_neo, tiny_llama, tiny_mistral, tiny_quick_gpt2
from tests.training.hub import Hub, serve
from tests.training.maskless_models import tiny_mamba, tiny_qwen_next
from tests.training.processes import Starter, start_server

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from buddy.training.settings import TrainSettings

QUICK_RUN: dict[str, Any] = {
    "backbone": "scratch:tiny",
    "vocabulary_size": 300,
    "epochs": 3.0,
    "batch_size": 8,
    "max_tokens": 32,
    "learning_rate": 3e-3,
    "text_weight": 0.0,
    "dropout": 0.1,
    "evaluations_per_epoch": 2,
    "best_by": "loss",  # on so few texts accuracy stands still: best/ would be written once
    "device": "cpu",
}
"""A run of 18 steps and 6 evaluations in about a second."""


def as_options(settings: dict[str, Any]) -> list[object]:
    """The same settings as they are typed."""
    return [part for name, value in settings.items() for part in ("--" + name.replace("_", "-"), value)]


def curves(run: Path) -> list[dict[str, float]]:
    """The history of a run without what differs between two identical ones."""
    points = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in point.items() if k not in ("seconds", "tokens_per_second")} for point in points]


def weights(run: Path) -> tuple[bytes, bytes]:
    return (run / "best" / "model.safetensors").read_bytes(), (run / "last" / "model.safetensors").read_bytes()


def assert_same_run(run: Path, other: Path) -> None:
    """Two runs ended alike: the curves to the last digit and both models to the bit."""
    assert curves(run) == curves(other)
    assert [a == b for a, b in zip(weights(run), weights(other), strict=True)] == [True, True], "best/, last/"


@pytest.fixture
def quick(moods: Path, tmp_path: Path) -> "TrainSettings":
    """Settings of a quick run into ``tmp_path / "run"``."""
    from buddy.training.settings import TrainSettings

    return TrainSettings(data=moods, out=tmp_path / "run", **QUICK_RUN)


@pytest.fixture
def train(quick: "TrainSettings") -> Callable[..., Path]:
    """Train in this process; gives the run directory."""
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run

    def run(name: str = "run", **changes: Any) -> Path:
        settings = replace(quick, out=quick.out.with_name(name), **changes)
        start_run(settings, make_evaluate)
        return settings.out

    return run


@pytest.fixture
def resume() -> Callable[[Path], None]:
    """Go on with a run in this process."""
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.checkpoint import read_settings
    from buddy.training.run import resume_run

    def go_on(run: Path) -> None:
        resume_run(read_settings(run), make_evaluate)

    return go_on


@pytest.fixture(
    scope="module",
    params=[
        tiny_gpt2,
        tiny_llama,
        tiny_gpt_neo,
        tiny_gemma,
        tiny_mistral,
        tiny_quick_gpt2,
        tiny_qwen_next,
        tiny_mamba,
    ],
)
def model(request: pytest.FixtureRequest) -> "PreTrainedModel":
    """Each of the architectures in turn, at rest: nothing that training does may depend on which it is."""
    made: PreTrainedModel = request.param()
    return made


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub without any model yet."""
    with serve(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture(scope="session")
def command_server(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What commands are forked from; they look for models on our own hub only."""
    start_server(
        {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path_factory.mktemp("huggingface")),
            "NO_PROXY": "127.0.0.1",
            "OMP_NUM_THREADS": "1",
        }
    )


@pytest.fixture
def start_buddy(command_server: None, tmp_path: Path) -> Starter:
    """Start ``buddy ARGUMENTS`` as a process of its own."""
    return Starter(tmp_path)
