"""What share of a device's arithmetic training and classification reach, for any shape of GPT-2.

The yardstick is measured, not read off a data sheet: a product of two large matrices in the format that is used. The
work is counted as 2 operations for each weight of a matrix and token that is read, and 6 for one that is learned from.
Classification needs the top layer's answer at one token of a text: what that layer does after attention does not count.
What attention does beside its matrices is not counted, nor are norms, losses and padding: the share is a lower bound.

Source: the way of counting is that of Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1.
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from buddy.data.builtin import read_builtin
from buddy.data.corpus import CorpusFile
from buddy.data.prepared import write_prepared
from buddy.data.source import UNSPLIT
from buddy.inference.labels import label_trie
from buddy.inference.torch_engine import TorchEngine
from buddy.progress import progress
from buddy.text.render import render_emotion_question
from buddy.text.rows import corpus_texts, read_corpus, write_corpus
from buddy.text.tokenizer import train_tokenizer
from buddy.training.backbone import quiet_transformers
from buddy.training.checkpoint import CurvePoint
from buddy.training.device import Device, choose_device
from buddy.training.loop import Evaluate, Sums, train
from buddy.training.run import build_training
from buddy.training.settings import TrainSettings
from buddy.training.stopping import StopRequest

VOCABULARY = 8192
MATRIX = {"cuda": 8192, "mps": 4096, "cpu": 2048}
ROUNDS = 5
PARTS = 4
"""Training is timed in so many parts; the first, with everything that is done once, does not count."""


@dataclass(frozen=True)
class Share:
    """One kind of work.

    Attributes:
        tokens_per_second: in each part, without padding.
        teraflop_per_token: multiplications and additions that a token needs at least, in 10^12.
    """

    tokens_per_second: Sequence[float]
    teraflop_per_token: float

    @property
    def teraflop_per_second(self) -> float:
        """The arithmetic that was done in a second, in 10^12 operations: the median of the parts."""
        return statistics.median(self.tokens_per_second) * self.teraflop_per_token


@dataclass(frozen=True)
class DeviceSpeed:
    """What a device can do, and what it does.

    Attributes:
        device: its name and number format.
        parameters: of the model.
        matrix_teraflop_per_second: the yardstick.
        training: rows of full width.
        classification: the built-in situations.
        texts_per_second: the same, as texts.
    """

    device: str
    parameters: int
    matrix_teraflop_per_second: float
    training: Share
    classification: Share
    texts_per_second: float

    def share(self, work: Share) -> float:
        """Give the arithmetic of some work over that of the yardstick."""
        return work.teraflop_per_second / self.matrix_teraflop_per_second

    def to_json(self) -> dict[str, object]:
        """Give everything measured, and the shares, for a file."""
        shares = {"training": self.share(self.training), "classification": self.share(self.classification)}
        return {**asdict(self), "shares": shares}


def bench_device(backbone: str, width: int, rows: int, steps: int, texts: int, compiled: bool) -> DeviceSpeed:
    """Measure the best device here.

    Args:
        backbone: a ``scratch`` shape; its weights are random.
        width: tokens of a row to learn.
        rows: rows in a step.
        steps: to take, at least 4; about so many are taken.
        texts: how many are classified.
        compiled: whether the layers are compiled before training.

    Raises:
        UserMistake: there is no such shape.
    """
    quiet_transformers()
    device = choose_device()
    with tempfile.TemporaryDirectory() as folder, progress("measuring", 3, "kinds") as bar:
        yardstick = matrix_rate(device)
        bar.advance(1, note="matrices")
        settings = TrainSettings(
            data=Path(folder) / "corpus",
            out=Path(folder) / "run",
            backbone=backbone,
            task="text",
            epochs=1,
            patience=0,
            batch_size=rows,
            max_tokens=width,
            dropout=0.0,
            evaluations_per_epoch=PARTS,
            save_minutes=1e9,
            compile=compiled,
        )
        _write_rows(settings, steps)
        evaluations, engine = _train(settings, device)
        bar.advance(1, note="training")
        seconds, tokens = _classify(engine, texts)
        bar.advance(1, note="classification")
    weights = sum(p.numel() for n, p in engine.model.named_parameters() if ".h." in n and p.dim() == 2)
    output = engine.model.get_output_embeddings().weight.numel()  # type: ignore[operator]
    top: Any = engine.model.transformer.h[-1]  # type: ignore[index,union-attr]
    skipped = sum(  # of every token of a text but one
        part.weight.numel() for part in (top.attn.c_proj, top.mlp.c_fc, top.mlp.c_proj)
    )
    return DeviceSpeed(
        f"{_name(device)}, {device.number_format}",
        sum(p.numel() for p in engine.model.parameters()),
        yardstick,
        Share([e.tokens_per_second for e in evaluations[1:]], 6 * (weights + output) / 1e12),
        Share([tokens / s for s in seconds], 2 * (weights - skipped) / 1e12),
        texts / statistics.median(seconds),
    )


def matrix_rate(device: Device) -> float:
    """Measure large matrix products in the device's number format, in 10^12 operations a second."""
    size = MATRIX[device.name]
    one, other = torch.randn(2, size, size, device=device.name).to(device.dtype)
    seconds = _timed(lambda: one @ other, device)
    return 2 * size**3 / statistics.median(seconds) / 1e12


def _timed(work: Callable[[], object], device: Device) -> list[float]:
    """Do some work once to warm up, then several times by the clock."""
    seconds = []
    for _ in range(1 + ROUNDS):
        started = time.perf_counter()
        work()
        if device.name != "cpu":
            torch.accelerator.synchronize()
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def _write_rows(settings: TrainSettings, steps: int) -> None:
    """Write rows of the built-in texts, as often as it takes."""
    builtin = read_builtin()
    prepared = settings.data.with_name("prepared")
    write_prepared(prepared, {"train": builtin.examples[UNSPLIT]}, {"train": builtin.dialogues[UNSPLIT]})
    once = CorpusFile(prepared)
    tokenizer = train_tokenizer(corpus_texts([once], settings.seed), builtin.labels(), VOCABULARY)
    tokens = sum(len(tokenizer.encode(text).ids) for text in corpus_texts([once], settings.seed))
    times = 1.2 * steps * settings.batch_size * settings.max_tokens / tokens  # 1.2: not every row is full
    write_corpus(
        settings.data, [CorpusFile(prepared, times)], tokenizer, builtin.labels(), settings.max_tokens, settings.seed
    )


def _train(settings: TrainSettings, device: Device) -> tuple[list[CurvePoint], TorchEngine]:
    """Take the steps with the loop that `buddy pretrain` uses, and give its own record and the model."""

    def make_evaluate(*_: object, **__: object) -> Evaluate:
        return lambda model, split, share, shares: Sums()  # noqa: ARG005

    training = build_training(
        settings, read_corpus(settings.data), device, Accelerator(cpu=device.name == "cpu"), make_evaluate, is_new=True
    )
    evaluations: list[CurvePoint] = []
    training.record = evaluations.append
    with progress("steps", training.total_steps, shown=False) as bar:
        train(training, StopRequest(), bar)
    model: nn.Module = training.backbone.model
    return evaluations, TorchEngine(model.eval(), training.backbone.codec, device)


def _classify(engine: TorchEngine, texts: int) -> tuple[list[float], int]:
    """Give the seconds that so many texts take in each round, and their tokens."""
    builtin = read_builtin()
    rendered = [render_emotion_question(example.text) for example in builtin.examples[UNSPLIT]]
    questions = engine.codec.encode(list(itertools.islice(itertools.cycle(rendered), texts)), 256)
    trie = label_trie(engine.codec, builtin.labels())
    seconds = _timed(lambda: engine.score_labels(questions, trie), engine.device)
    return seconds, sum(map(len, questions))


def _name(device: Device) -> str:
    return torch.cuda.get_device_name() if device.name == "cuda" else device.name
