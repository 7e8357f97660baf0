"""A run directory as training leaves it, with a stand-in for the model: its scores are a function of the text."""

import hashlib
import json
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml

from buddy.data.prepared import read_prepared, write_prepared
from buddy.evaluation.metrics import Floats
from buddy.files import whole_folder
from buddy.records import Example
from tests.evaluation.speaking import FakeEngine, make_dialogues, name_the_emotion, speaking_codec

EMOTIONS = ("angry", "joyful", "proud", "sad")


def make_examples(labels: Sequence[str], count: int, split: str) -> list[Example]:
    """Texts in which a baseline can find the label and the stand-in model, too, most of the time."""
    return [
        Example(f"{split}-{i}", f"{split} day {i}, and I felt so {labels[i % len(labels)]}", labels[i % len(labels)])
        for i in range(count)
    ]


@dataclass
class FakeModel:
    """Scores that depend on the text alone; too sure of itself, so that there is something to calibrate."""

    labels: tuple[str, ...]
    folder: Path
    sharpness: float = 6.0
    asked: list[str] = field(default_factory=list)
    task: str = "emotion"
    max_tokens: int = 200
    engine: FakeEngine = field(default_factory=lambda: FakeEngine(speaking_codec(), longest=200))

    @property
    def temperature(self) -> float:
        return float(json.loads((self.folder / "buddy.json").read_text())["temperature"])

    def log_scores(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        scores = self.sharpness * np.array([self._score(text) for text in texts])
        return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))

    def conversation_probabilities(self, conversations: Sequence[Sequence[str]]) -> Floats:
        return name_the_emotion(conversations, self.labels)

    def _score(self, text: str) -> Floats:
        noise = np.random.default_rng(int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)).random(len(self.labels))
        return noise + [0.45 * text.endswith(label) for label in self.labels]


@dataclass
class FakeRun:
    """A run, its data, and what its model was told."""

    folder: Path
    data: Path
    model: FakeModel
    stored: list[float] = field(default_factory=list)

    def file(self, name: str) -> Path:
        return self.folder / name


MakeRun = Callable[..., FakeRun]


@pytest.fixture(autouse=True, scope="session")
def coarse_figures() -> Iterator[None]:
    """Draw figures with few pixels: these tests look at what is in them, and at their bytes never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("buddy.evaluation.figures.DOTS_PER_INCH", 30)
        yield


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Make a run; its checkpoint is answered for by a FakeModel."""
    return partial(build_run, tmp_path, monkeypatch)


@pytest.fixture
def run(make_run: MakeRun) -> FakeRun:
    return make_run()


def build_run(
    place: Path,
    patch: pytest.MonkeyPatch,
    labels: Sequence[str] = EMOTIONS,
    evaluations: int = 4,
    valid: int = 120,
    task: str = "emotion",
) -> FakeRun:
    data, folder = place / "data", place / "run"
    data.mkdir()
    sizes = {"train": 200, "valid": valid, "test": 60}
    dialogues = {split: make_dialogues(labels, 12) for split in sizes} if task == "companion" else None
    write_prepared(data, {split: make_examples(labels, count, split) for split, count in sizes.items()}, dialogues)
    write_run(folder, data, evaluations)
    run = FakeRun(folder, data, FakeModel(tuple(labels), folder / "best", task=task))
    stand_in(run, patch)
    return run


def write_run(folder: Path, data: Path, evaluations: int) -> None:
    (folder / "best").mkdir(parents=True)
    (folder / "best" / "buddy.json").write_text(json.dumps({"temperature": 1.0}))
    config = {
        "settings": {
            "data": str(data),
            "backbone": "base",
            "seed": 13,
            "epochs": 8,
            "tensorboard": False,
            "lora": None,
        },
        "versions": {"python": "3.11", "torch": "2.13.0"},
        "git_commit": "0123abc",
        "data_fingerprint": read_prepared(data).fingerprint(),
        "device": "cpu, fp32",
        "parameters": {"total": 14_000_000, "trained": 13_999_999},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (folder / "history.jsonl").write_text("".join(history_line(i + 1) for i in range(evaluations)))


def history_line(epoch: int) -> str:
    row = {
        "step": 10 * epoch, "epoch": float(epoch), "train_loss": 3.0 / epoch, "valid_loss": 2.0 + (epoch - 2) ** 2 / 10,
        "train_accuracy": 1 - 0.6 / epoch, "valid_accuracy": 0.5 - (epoch - 2) ** 2 / 100,
        "learning_rate": 1e-4, "seconds": 10.0 * epoch, "tokens_per_second": 3000.0,
    }  # fmt: skip
    return json.dumps(row) + "\n"


def stand_in(run: FakeRun, patch: pytest.MonkeyPatch) -> None:
    """Replace the two functions that evaluation calls of inference; the module that loads models is not imported."""
    module = types.ModuleType("buddy.inference.classifier")

    def load_classifier(checkpoint: Path) -> FakeModel:
        assert checkpoint == whole_folder(run.folder / "best")
        return run.model

    def save_temperature(checkpoint: Path, temperature: float) -> None:
        run.stored.append(temperature)
        (checkpoint / "buddy.json").write_text(json.dumps({"temperature": temperature}))

    vars(module).update(load_classifier=load_classifier)
    patch.setitem(sys.modules, "buddy.inference.classifier", module)
    patch.setattr("buddy.inference.folder.save_temperature", save_temperature)
