"""Training speed and memory: buddy's loop against the Hugging Face ``Trainer`` with its defaults.

Both train random weights of the same shape on the same texts with the same number of texts per step, for one epoch.
Each measurement has a process of its own, so that peak memory is its own too; the two take turns, because other work
on the machine slows whoever happens to run.
"""

import random
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from torch import nn

from buddy.data.prepared import PreparedData, read_prepared, write_prepared
from buddy.errors import EnvironmentFault, UserMistake
from buddy.progress import progress
from buddy.records import Example
from buddy.training.backbone import SCRATCH_SHAPES
from buddy.training.settings import TrainSettings

DROPOUT = 0.1


@dataclass(frozen=True)
class BenchTrainSettings:
    """What is measured.

    Attributes:
        data: a prepared folder.
        backbone: a ``scratch`` shape; its weights are random.
        batch_size: texts per optimizer step, for both: 32 is buddy's default, 8 the ``Trainer``'s.
        texts: how many texts the one epoch has.
        rounds: how often each side is measured, taking turns.
        seed: which texts, and which weights.
    """

    data: Path
    backbone: str = "scratch:small"
    batch_size: int = 32
    texts: int = 2048
    rounds: int = 3
    seed: int = 13


@dataclass(frozen=True)
class Measured:
    """One side in one round."""

    texts_per_second: float
    peak_megabytes: float


@dataclass(frozen=True)
class Comparison:
    """All rounds of both sides. Ratios are taken within a round, where both met the same machine."""

    settings: BenchTrainSettings
    buddy: Sequence[Measured]
    trainer: Sequence[Measured]

    def speed_ratios(self) -> list[float]:
        """How many times more texts per second buddy trains, by round."""
        return [a.texts_per_second / b.texts_per_second for a, b in zip(self.buddy, self.trainer, strict=True)]

    def memory_ratios(self) -> list[float]:
        """Buddy's peak memory over the Trainer's, by round."""
        return [a.peak_megabytes / b.peak_megabytes for a, b in zip(self.buddy, self.trainer, strict=True)]

    def to_json(self) -> dict[str, object]:
        """Give everything measured, and the medians, for a file."""
        return {
            "settings": {key: str(v) if isinstance(v, Path) else v for key, v in asdict(self.settings).items()},
            "buddy": [asdict(side) for side in self.buddy],
            "trainer": [asdict(side) for side in self.trainer],
            "speed_ratio": statistics.median(self.speed_ratios()),
            "speed_ratios": self.speed_ratios(),
            "memory_ratio": statistics.median(self.memory_ratios()),
        }


def bench_train(settings: BenchTrainSettings) -> Comparison:
    """Let both sides train in turn and give what each round measured."""
    if settings.backbone not in SCRATCH_SHAPES:
        raise UserMistake(f"There is no shape {settings.backbone!r}; choose one of {', '.join(SCRATCH_SHAPES)}.")
    texts = min(settings.texts, len(read_prepared(settings.data).examples("train")))
    settings = replace(settings, texts=texts)
    with tempfile.TemporaryDirectory() as folder, progress("measuring", 2 * settings.rounds, "runs") as bar:
        small = _take_some_texts(settings, Path(folder) / "data")
        sides: dict[Callable[[BenchTrainSettings, Path], Measured], list[Measured]] = {
            measure_buddy: [],
            measure_trainer: [],
        }
        for _ in range(settings.rounds):
            for measure, results in sides.items():
                results.append(_in_own_process(measure, settings, small))
                bar.advance(note=f"{measure.__name__}: {results[-1].texts_per_second:.1f} texts/s")
    return Comparison(settings, sides[measure_buddy], sides[measure_trainer])


def measure_buddy(settings: BenchTrainSettings, data: Path) -> Measured:
    """Train one epoch with buddy's loop. Only the steps count, as in the Trainer's own figure; saving does not."""
    from accelerate import Accelerator

    from buddy.training.backbone import quiet_transformers
    from buddy.training.device import choose_device, keep_freed_memory
    from buddy.training.loop import Evaluate, Sums, train
    from buddy.training.run import build_training
    from buddy.training.stopping import StopRequest

    keep_freed_memory()
    quiet_transformers()
    peaks: list[float] = []

    def note_memory(model: nn.Module, split: str, share: int, shares: int) -> Sums:  # noqa: ARG001
        peaks.append(_peak_megabytes())  # before the model is saved
        return Sums()

    def make_evaluate(*_: object, **__: object) -> Evaluate:
        return note_memory

    device = choose_device()
    training = build_training(
        TrainSettings(
            data=data,
            out=data.with_name(f"buddy-{time.time_ns()}"),
            backbone=settings.backbone,
            epochs=1,
            text_weight=0.0,
            dropout=DROPOUT,
            batch_size=settings.batch_size,
            evaluations_per_epoch=1,
            save_minutes=1e9,
            seed=settings.seed,
        ),
        read_prepared(data),
        device,
        Accelerator(cpu=device.name == "cpu"),
        make_evaluate,
        is_new=True,
    )
    with progress("steps", None) as bar:
        train(training, StopRequest(), bar)
    return Measured(training.lessons.per_epoch / training.position.seconds, peaks[0])


def measure_trainer(settings: BenchTrainSettings, data: Path) -> Measured:
    """Train one epoch with the Trainer as its documentation shows it: each batch padded to its longest text."""
    import torch
    from transformers import (
        DataCollatorForSeq2Seq,
        GPT2Config,
        GPT2LMHeadModel,
        PrinterCallback,
        Trainer,
        TrainingArguments,
    )

    from buddy.text.render import render_example
    from buddy.training.backbone import new_backbone, new_tokenizer, set_dropout
    from buddy.training.device import seed_everything

    seed_everything(settings.seed)
    prepared = read_prepared(data)
    examples = prepared.examples("train")
    texts = [f" {example.text} {example.label}" for example in examples]
    tokenizer = new_tokenizer(texts, prepared.labels, TrainSettings.vocabulary_size)
    with torch.device("meta"):  # its shape is wanted, not its weights: they would count as the Trainer's memory
        backbone = new_backbone(settings.backbone, tokenizer)
    set_dropout(backbone.model, DROPOUT)
    assert isinstance(backbone.model.config, GPT2Config)  # noqa: S101  (every scratch shape is one)
    backbone.tokenizer.pad_token = backbone.tokenizer.eos_token
    rendered = [render_example(example.text, example.label) for example in examples]
    tokens = backbone.codec.encode(rendered, TrainSettings.max_tokens)
    rows = [
        {
            "input_ids": document.ids.tolist(),
            "attention_mask": [1] * len(document),
            "labels": [
                int(token) if weight else -100 for token, weight in zip(document.ids, document.weights, strict=True)
            ],
        }
        for document in tokens
    ]
    arguments = TrainingArguments(
        output_dir=str(data.with_name("trainer")),
        num_train_epochs=1,
        per_device_train_batch_size=settings.batch_size,
        report_to="none",
        save_strategy="no",  # neither side's time holds writing
        disable_tqdm=True,
    )
    collator = DataCollatorForSeq2Seq(backbone.tokenizer)
    model = GPT2LMHeadModel(backbone.model.config)  # Hugging Face's own, not buddy's
    trainer = Trainer(model, arguments, data_collator=collator, train_dataset=rows)
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, where our result stands
    result = trainer.train()
    return Measured(len(rows) / result.metrics["train_runtime"], _peak_megabytes())


def _take_some_texts(settings: BenchTrainSettings, folder: Path) -> Path:
    """Make a small prepared folder of randomly chosen training texts."""
    data: PreparedData = read_prepared(settings.data)
    chosen: list[Example] = random.Random(settings.seed).sample(data.examples("train"), settings.texts)  # noqa: S311
    write_prepared(folder, {"train": chosen, "valid": chosen[:1]})
    return folder


def _in_own_process(
    measure: Callable[[BenchTrainSettings, Path], Measured], settings: BenchTrainSettings, data: Path
) -> Measured:
    """Measure in a fresh process, which dies at once by Ctrl-C: nobody wants to wait for half a measurement."""
    die_by_ctrl_c = (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=signal.signal, initargs=die_by_ctrl_c) as pool:
        try:
            return pool.submit(measure, settings, data).result()
        except BrokenProcessPool as error:
            raise EnvironmentFault(
                f"{measure.__name__} was killed, perhaps for want of memory; measure with a smaller --batch-size."
            ) from error


def _peak_megabytes() -> float:
    """Tell the most memory that this process ever held."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024 if sys.platform != "darwin" else kilobytes / 1024**2
