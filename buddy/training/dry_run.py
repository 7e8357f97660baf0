"""What a run will need, before it is begun: its parameters, memory, steps and time; nothing is written.

Time is measured: a few real steps on the real data, and a part of an evaluation, with a model that is then thrown
away. Memory is counted, but for what a pass through the model holds on its way there and back, which is measured too.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.distributed.tensor import DTensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from buddy.text.batches import Batch, plan_epoch, split_by_tokens
from buddy.text.tokenizer import Tokens
from buddy.training.loop import Clock, Sums, Training, batches_of_this_process, take_step, tokens_per_pass
from buddy.training.loss import learned_loss
from buddy.training.run import MakeEvaluate, meet_processes, read_and_build, telling_what_takes_less
from buddy.training.settings import TrainSettings
from buddy.training.sharding import is_sharded

STEPS_MEASURED = 6
"""Spread over an epoch, so that short and long texts are among them; one more goes before, to warm up."""

TEXTS_JUDGED = 256
"""Of an evaluation at most so many texts of each split are scored, twice: the first time makes what is made once."""

MOST_TEXTS = 1 << 32
"""No evaluation scores more than these."""

SUMS_OF_OPTIMIZER = 2
"""AdamW keeps two running sums for every number that is trained, as large as its gradient."""


@dataclass(frozen=True)
class Memory:
    """Bytes of a run in one process, without those of Python and its libraries.

    Attributes:
        weights: of the model, the frozen ones too.
        gradients: one for each trained weight.
        optimizer: its running sums.
        activations: the most that the largest pass holds at once, on its way through the model and back.
        evaluation: the most that an evaluation holds at once; gradients and activations are gone by then.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    evaluation: int

    @property
    def together(self) -> int:
        """The most that is held at once, in a step or in an evaluation."""
        return self.weights + self.optimizer + max(self.gradients + self.activations, self.evaluation)


@dataclass(frozen=True)
class Estimate:
    """What a run will need.

    Attributes:
        parameters: of the model.
        trained: so many of them are trained.
        memory: of one process.
        largest_pass: tokens of the largest forward pass, padding included.
        steps_per_epoch: optimizer steps that see every document once.
        steps: of the whole run; early stopping may end it sooner.
        evaluations: points on the curves.
        seconds_per_step: on average over an epoch.
        seconds_per_evaluation: both splits.
    """

    parameters: int
    trained: int
    memory: Memory
    largest_pass: int
    steps_per_epoch: int
    steps: int
    evaluations: int
    seconds_per_step: float
    seconds_per_evaluation: float

    @property
    def seconds(self) -> float:
        """The whole run."""
        return self.steps * self.seconds_per_step + self.evaluations * self.seconds_per_evaluation


def print_estimate(settings: TrainSettings, make_evaluate: MakeEvaluate) -> None:
    """Say on stdout what a run will need.

    Args:
        settings: as for ``start_run``.
        make_evaluate: as for ``start_run``.

    Raises:
        UserMistake: the data or the backbone cannot be read.
    """
    device, accelerator = meet_processes(settings)
    with telling_what_takes_less(settings, device, is_trial=True):
        training, _ = read_and_build(settings, make_evaluate, device, accelerator, is_new=True)
        estimate = estimate_run(training)
    if training.is_writer:
        print(as_table(estimate))


def estimate_run(training: Training) -> Estimate:
    """Count and measure what a run will need; the model of ``training`` has learned a little afterwards."""
    documents = training.lessons.documents(0, 0)
    settings, lengths = training.settings, [len(document) for document in documents]
    plan = [[documents[i] for i in step] for step in plan_epoch(lengths, settings.batch_size, settings.seed, epoch=0)]
    largest = _largest_pass(training, plan)
    seconds_per_token = _measure_steps(training, plan)
    model = training.backbone.model
    (parameters, trained), steps = training.backbone.parameters(), training.total_steps
    gradients = sum(_bytes_here(p) for p in model.parameters() if p.requires_grad)
    seconds_per_evaluation, bytes_of_evaluation = _measure_evaluation(training)
    memory = Memory(
        weights=sum(map(_bytes_here, (*model.parameters(), *model.buffers()))),
        gradients=gradients,
        optimizer=SUMS_OF_OPTIMIZER * gradients,
        activations=_measure_working_bytes(training, largest),
        evaluation=bytes_of_evaluation,
    )
    return Estimate(
        parameters,
        trained,
        memory,
        largest.input_ids.size,
        training.steps_per_epoch,
        steps,
        training.evaluations_until(steps - 1) + 1,  # the last step always has one
        seconds_per_token * sum(lengths) / len(plan),
        seconds_per_evaluation,
    )


def _largest_pass(training: Training, plan: Sequence[Sequence[Tokens]]) -> Batch:
    """Find the batch of an epoch with the most tokens."""
    most = tokens_per_pass(training.settings, training.device)

    def tokens(documents: Sequence[Tokens]) -> int:
        lengths = [len(document) for document in documents]
        passes = split_by_tokens(range(len(documents)), lengths, most)
        return max(len(indices) * max(lengths[i] for i in indices) for indices in passes)

    batches = batches_of_this_process(training, max(plan, key=tokens))
    return max(batches, key=lambda batch: batch.input_ids.size)


def _measure_steps(training: Training, plan: Sequence[Sequence[Tokens]]) -> float:
    """Take a few real steps; gives seconds per token."""
    chosen = np.linspace(0, len(plan) - 1, STEPS_MEASURED).round().astype(int)
    for number, place in enumerate((chosen[0], *chosen)):
        if number == 1:
            training.clock = Clock()
        training.unread_loss = None  # so that a step tells its own loss, and is over then
        take_step(training, plan[place])
        training.position.step = min(training.position.step + 1, training.total_steps - 1)
    return training.clock.seconds / training.clock.tokens


def _measure_working_bytes(training: Training, batch: Batch) -> int:
    """Compute one pass, there and back, and see how much was held at once; the gradients are there before."""
    device = training.device
    training.model.train()
    allocations = _Allocations()
    for watched in (nullcontext(), allocations):
        with watched, device.attention(batch.input_ids.shape[1]):
            learned_loss(training.model, batch, device).total.backward()  # type: ignore[no-untyped-call]
    training.optimizer.zero_grad()
    return allocations.most


class _Allocations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation, and how much memory of their results is held at once, on any device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[int, tuple[StorageWeakRef, int]] = {}
        self.most = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: tuple[Any, ...] = (), named: dict[str, Any] | None = None
    ) -> Any:
        result = operation(*arguments, **(named or {}))
        given = {storage._cdata for storage in _storages((arguments, named))}
        for storage in _storages(result):
            if storage._cdata not in given:  # not a view of what was there
                self.held[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())  # type: ignore[no-untyped-call]
        gone = [key for key, (reference, _) in self.held.items() if reference.expired()]  # type: ignore[no-untyped-call]
        for key in gone:
            del self.held[key]
        self.most = max(self.most, sum(size for _, size in self.held.values()))
        return result


def _bytes_here(tensor: torch.Tensor) -> int:
    """Say how much of a tensor lies in this process."""
    return tensor.to_local().nbytes if isinstance(tensor, DTensor) else tensor.nbytes


def _storages(tree: Any) -> list[torch.UntypedStorage]:
    return [leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _measure_evaluation(training: Training) -> tuple[float, int]:
    """Score a part of each split; gives the seconds that all of it will take on these processes, and bytes held."""
    accelerator, seconds, allocations = training.accelerator, 0.0, _Allocations()
    training.model.eval()
    for split in ("train", "valid"):
        shares = max(1, -(-_texts_of_evaluation(training, split) // TEXTS_JUDGED))
        for watched in (allocations, nullcontext()):
            started = time.perf_counter()
            with torch.no_grad(), watched:
                training.evaluate(training.backbone.model, split, 0, shares)
        processes = 1 if is_sharded(training.model) else accelerator.num_processes  # those that share all score all
        seconds += (time.perf_counter() - started) * shares / processes
    return seconds, allocations.most


def _texts_of_evaluation(training: Training, split: str) -> int:
    """Find how many texts of a split are scored, which may be a sample: a share behind the last one counts nothing."""

    def is_behind(place: int) -> bool:
        with torch.no_grad():
            return training.evaluate(training.backbone.model, split, place, MOST_TEXTS) == Sums()

    return bisect_left(range(MOST_TEXTS), True, key=is_behind)


def as_table(estimate: Estimate) -> str:
    """Write an estimate for a person."""
    memory = estimate.memory
    is_largest = memory.evaluation > memory.gradients + memory.activations
    evaluation = [("  evaluation", _bytes(memory.evaluation), "instead of gradients and activations")]
    lines = [
        ("parameters", _millions(estimate.parameters), f"{_millions(estimate.trained)} of them trained"),
        ("memory", _bytes(memory.together), "besides Python and its libraries; of these"),
        ("  weights", _bytes(memory.weights), ""),
        ("  gradients", _bytes(memory.gradients), ""),
        ("  optimizer", _bytes(memory.optimizer), "two running sums for each trained number"),
        ("  activations", _bytes(memory.activations), f"of {estimate.largest_pass:,} tokens, the largest pass"),
        *(evaluation if is_largest else []),
        ("steps", f"{estimate.steps:,}", f"at most; {estimate.steps_per_epoch:,} an epoch"),
        ("time", _duration(estimate.seconds), "at most; of these"),
        ("  steps", _duration(estimate.steps * estimate.seconds_per_step), f"{estimate.seconds_per_step:.3g} s each"),
        (
            "  evaluations",
            _duration(estimate.evaluations * estimate.seconds_per_evaluation),
            f"{estimate.evaluations:,} of {estimate.seconds_per_evaluation:.3g} s each",
        ),
    ]
    return "\n".join(f"{name:<14}{figure:>10}  {note}".rstrip() for name, figure, note in lines)


def _millions(number: int) -> str:
    return f"{number / 1e6:,.2f}M"


def _bytes(number: int) -> str:
    """Write a size in memory.

    Example:
        >>> _bytes(57_000_000), _bytes(2_100_000_000)
        ('57.0 MB', '2.10 GB')
    """
    return f"{number / 1e9:,.2f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def _duration(seconds: float) -> str:
    """Write how long something takes.

    Example:
        >>> _duration(8.2), _duration(700), _duration(40_000)
        ('8 s', '12 min', '11 h 7 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
