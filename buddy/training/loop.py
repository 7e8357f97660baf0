"""The training loop. Between two rulers stands one step; above them, what happens between steps."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import AdamW

from buddy.errors import UserMistake
from buddy.progress import Progress
from buddy.text.batches import Batch, plan_epoch, split_by_tokens
from buddy.text.tokenizer import Tokens
from buddy.training.backbone import Backbone
from buddy.training.checkpoint import CurvePoint, Position, Resumable, save_last, save_model
from buddy.training.device import Device, seed_everything
from buddy.training.lessons import Lessons
from buddy.training.loss import learned_loss
from buddy.training.optimizer import optimizer_tensors
from buddy.training.schedule import learning_rate
from buddy.training.settings import TrainSettings
from buddy.training.sharding import is_sharded, whole, whole_weights, without_exchange
from buddy.training.stopping import EarlyStopping, StopRequest


@dataclass(frozen=True)
class Sums:
    """What an evaluation counts, as sums, so that shares of it can be added up before dividing."""

    loss: float = 0.0
    weight: float = 0.0
    correct: float = 0.0
    texts: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.loss + other.loss,
            self.weight + other.weight,
            self.correct + other.correct,
            self.texts + other.texts,
        )

    @property
    def mean_loss(self) -> float:
        """Nats per learned token."""
        return self.loss / max(self.weight, 1e-9)

    @property
    def accuracy(self) -> float:
        """Share of texts whose most probable label is the right one."""
        return self.correct / max(self.texts, 1.0)


class Evaluate(Protocol):
    """Scores the model on a split; handed to training, which therefore needs to know no metric."""

    def __call__(self, model: nn.Module, split: str, share: int, shares: int) -> Sums:
        """Count over every ``shares``-th text of a split (``train`` or ``valid``), beginning at ``share``."""


@dataclass
class Clock:
    """Seconds spent on steps, and tokens seen in them, since the last evaluation."""

    seconds: float = 0.0
    tokens: int = 0
    last_save: float = field(default_factory=time.monotonic)


@dataclass
class Training:
    """All that the loop works with."""

    settings: TrainSettings
    labels: Sequence[str]
    backbone: Backbone
    model: nn.Module  # the backbone's model, wrapped when several processes train it
    optimizer: AdamW
    device: Device
    accelerator: Accelerator
    lessons: Lessons
    evaluate: Evaluate
    position: Position
    stopping: EarlyStopping
    record: Callable[[CurvePoint], None]
    clock: Clock = field(default_factory=Clock)
    unread_loss: Tensor | None = None  # of the last step

    @property
    def steps_of_chapters(self) -> list[int]:
        """Optimizer steps that see every document of a chapter once."""
        return [-(-documents // self.settings.batch_size) for documents in self.lessons.chapters]

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps that see every document once."""
        return sum(self.steps_of_chapters)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run as planned; early stopping may end it sooner."""
        return max(1, round(self.settings.epochs * self.steps_per_epoch))

    def evaluations_until(self, step: int) -> int:
        """So many points the curves have after a step, but for the one at the end of the run.

        They are so many per epoch as was asked for, evenly, at most one a step, the last one at its very end.
        """
        steps = self.steps_per_epoch
        return step * min(self.settings.evaluations_per_epoch, steps) // steps

    @property
    def run(self) -> Path:
        """The run directory."""
        return self.settings.out

    @property
    def is_writer(self) -> bool:
        """Whether this process writes the files."""
        return bool(self.accelerator.is_main_process)


def train(training: Training, stop: StopRequest, bar: Progress) -> bool:
    """Take steps until the plan is done, patience has run out, or somebody asks to stop.

    Returns:
        Whether steps are left because somebody asked; one who asks in the last evaluation gets a finished run.
    """
    position = training.position
    documents: Sequence[Tokens] = ()
    plan: list[list[int]] = []
    planned: tuple[int, int] | None = None  # epoch and chapter
    while position.step < training.total_steps and not training.stopping.is_exhausted():
        if _asked_to_stop(training, stop):
            _save(training)
            return True
        epoch, chapter, step = find_place(position.step, training.steps_of_chapters)
        if (epoch, chapter) != planned:
            documents = ()  # before the next ones are read
            documents = training.lessons.documents(epoch, chapter)
            lengths = [len(document) for document in documents]
            plan = plan_epoch(lengths, training.settings.batch_size, training.settings.seed, epoch, chapter)
            planned = epoch, chapter
        # ---------------------------------------------------------------------------------------------------------
        loss = take_step(training, [documents[i] for i in plan[step]])
        # ---------------------------------------------------------------------------------------------------------
        position.step += 1
        bar.advance(1, note=f"loss {loss:.3f}")
        if _is_evaluation_due(training):
            evaluation = _evaluate(training)
            bar.say(_describe(evaluation, is_best=training.stopping.best_step == position.step))
        elif _is_save_due(training):
            _save(training)
    return False


def find_place(step: int, steps_of_chapters: Sequence[int]) -> tuple[int, int, int]:
    """Give the epoch, its chapter, and the step in that, from the steps taken so far.

    Example:
        >>> find_place(7, [3, 2])
        (1, 0, 2)
    """
    epoch, step = divmod(step, sum(steps_of_chapters))
    chapter = 0
    while step >= steps_of_chapters[chapter]:
        step -= steps_of_chapters[chapter]
        chapter += 1
    return epoch, chapter, step


def take_step(training: Training, documents: Sequence[Tokens]) -> float:
    """Learn from the documents of one step; the position does not move, that is the loop's.

    Returns:
        The loss, in nats per learned token. On an accelerator that of the step before, but for the first: if it had to
        tell the loss of this step, it would stand still while the next one is laid out.
    """
    started = time.perf_counter()
    settings, position, accelerator = training.settings, training.position, training.accelerator
    seed_everything(settings.seed, position.step, accelerator.process_index)
    batches = batches_of_this_process(training, documents)
    weight = sum(map(_learned_weight, documents)) or 1.0  # 1: nothing is learned, by none
    scale = accelerator.num_processes / weight  # several processes average their gradients; we want their sum
    total = torch.zeros((), device=training.device.name)
    training.model.train()
    for number, batch in enumerate(batches):
        is_last = number == len(batches) - 1
        attention = training.device.attention(batch.input_ids.shape[1])  # the same for what backward computes again
        with without_exchange(training.model, accelerator, is_last), attention:
            loss = learned_loss(training.model, batch, training.device)
            (loss.total * scale).backward()
        total += loss.total.detach()
    rate = learning_rate(position.step, training.total_steps, settings.learning_rate, _warmup_steps(training))
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    _clip_gradients(training.model, settings.max_gradient_norm)
    training.optimizer.step()
    training.optimizer.zero_grad()
    before = None if training.device.name == "cpu" else training.unread_loss
    training.unread_loss = mean = accelerator.reduce(total) / weight
    known = float(mean if before is None else before)
    _require_number(known, position.step + (before is None), settings)
    training.clock.tokens += sum(map(len, documents))
    training.clock.seconds += time.perf_counter() - started
    return known


def _learned_weight(document: Tokens) -> float:
    return float(document.weights[1:].sum()) + (document.soft_label is not None)


def _require_number(loss: float, step: int, settings: TrainSettings) -> None:
    if not math.isfinite(loss):
        raise UserMistake(
            f"The loss is no longer a number at step {step}; start again with a lower --learning-rate "
            f"than {settings.learning_rate:g} and another --out."
        )


def _clip_gradients(model: nn.Module, max_norm: float) -> None:
    """Shorten the gradient to ``max_norm``. One that is short enough is only measured, unless asking means waiting."""
    norm = whole(nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None]))
    if norm.device.type != "cpu" or norm > max_norm:
        nn.utils.clip_grads_with_norm_(model.parameters(), max_norm, norm)


def batches_of_this_process(training: Training, documents: Sequence[Tokens]) -> list[Batch]:
    """Cut a step into the shares of the processes, and a share into passes that fit the memory."""
    rank, ranks = training.accelerator.process_index, training.accelerator.num_processes
    passes = _passes(training, documents[rank::ranks] or [_without_learning(documents[0])])
    if is_sharded(training.model):  # every pass is computed together: whoever has fewer of them runs along
        most = max(len(_passes(training, documents[i::ranks])) for i in range(ranks))
        passes = [[_without_learning(documents[0])]] * (most - len(passes)) + passes
    return [training.lessons.collate(some) for some in passes]


def _passes(training: Training, documents: Sequence[Tokens]) -> list[list[Tokens]]:
    lengths, most = [len(document) for document in documents], tokens_per_pass(training.settings, training.device)
    return [[documents[i] for i in indices] for indices in split_by_tokens(range(len(documents)), lengths, most)]


def _without_learning(document: Tokens) -> Tokens:
    """A process without a document of its own must still take part in the exchange of gradients."""
    return Tokens(document.ids, document.weights * 0)  # and without its soft label


def _is_evaluation_due(training: Training) -> bool:
    step = training.position.step
    return training.evaluations_until(step) > training.evaluations_until(step - 1) or step == training.total_steps


def _evaluate(training: Training) -> CurvePoint:
    """Put a point on the curves, keep the model if it is the best so far, and save the position."""
    train, valid = (_count(training, split) for split in ("train", "valid"))
    position, clock = training.position, training.clock
    for counts in (train, valid):
        _require_number(counts.mean_loss, position.step, training.settings)
    position.seconds += clock.seconds
    evaluation = CurvePoint(
        step=position.step,
        epoch=round(position.step / training.steps_per_epoch, 4),
        train_loss=train.mean_loss,
        valid_loss=valid.mean_loss,
        train_accuracy=train.accuracy,
        valid_accuracy=valid.accuracy,
        learning_rate=training.optimizer.param_groups[0]["lr"],
        seconds=round(position.seconds, 3),
        tokens_per_second=round(clock.tokens / max(clock.seconds, 1e-9), 1),
        valid_bits_per_byte=_bits_per_byte(valid.mean_loss, training.lessons.valid_bytes_per_token),
    )
    score = valid.accuracy if training.settings.best_by == "accuracy" else -valid.mean_loss
    is_best = training.stopping.is_new_best(score, position.step)
    position.evaluations += 1
    training.clock = Clock()
    if is_best:
        _save_best(training)
    if training.is_writer:
        training.record(evaluation)
    _save(training)
    return evaluation


def _bits_per_byte(nats_per_token: float, bytes_per_token: float | None) -> float | None:
    """Give a loss in a unit that does not depend on the tokenizer, when text is what is learned."""
    return None if bytes_per_token is None else nats_per_token / math.log(2) / bytes_per_token


def _count(training: Training, split: str) -> Sums:
    """Evaluate on every process its share of the texts, and add the counts up.

    Processes that share a model compute every pass together, so all of them evaluate all texts.
    """
    accelerator = training.accelerator
    share, shares = accelerator.process_index, accelerator.num_processes
    if is_sharded(training.model):
        share, shares = 0, 1
    was_training = training.model.training
    training.model.eval()
    with torch.no_grad() if is_sharded(training.model) else torch.inference_mode():  # borrowed weights learn later
        mine = training.evaluate(training.backbone.model, split, share, shares)
    training.model.train(was_training)
    if shares == 1:
        return mine
    counts = torch.tensor([mine.loss, mine.weight, mine.correct, mine.texts], dtype=torch.float64)
    return Sums(*accelerator.reduce(counts.to(training.device.name)).tolist())


def _asked_to_stop(training: Training, stop: StopRequest) -> bool:
    """Stop together: a process that leaves alone would keep the others waiting for its gradients."""
    if training.accelerator.num_processes > 1:
        mine = torch.tensor([stop.signal_number or 0], device=training.device.name)
        asked = int(training.accelerator.gather(mine).max())
        if asked:  # a signal that arrives during the exchange must not be overwritten
            stop.signal_number = asked
        return asked > 0
    return bool(stop)


def _save_best(training: Training) -> None:
    weights = whole_weights(training.backbone.model)
    if training.is_writer:
        save_model(training.run / "best", training.backbone, training.labels, training.settings, weights)


def _save(training: Training) -> None:
    if training.unread_loss is not None:  # nothing is kept of a step that went wrong
        _require_number(float(training.unread_loss), training.position.step, training.settings)
    weights = whole_weights(training.backbone.model)
    averages = optimizer_tensors(training.backbone.model, training.optimizer)
    position = replace(training.position, seconds=training.position.seconds + training.clock.seconds)
    if training.is_writer:
        save_last(
            training.run,
            training.backbone,
            training.labels,
            training.settings,
            Resumable(position, training.stopping, averages),
            weights,
        )
    training.clock.last_save = time.monotonic()


def _is_save_due(training: Training) -> bool:
    """Tell whether the last save is some time ago; of processes that share a model the first one decides."""
    is_due = time.monotonic() - training.clock.last_save > 60 * training.settings.save_minutes
    if is_sharded(training.model):
        decision = torch.tensor([int(is_due)], device=training.device.name)
        torch.distributed.broadcast(decision, 0)
        return bool(decision)
    return is_due


def tokens_per_pass(settings: TrainSettings, device: Device) -> int:
    """Say how many tokens go through the model at once, padding included."""
    return settings.tokens_per_pass or (32_768 if device.name == "cuda" else 2_048)


def _warmup_steps(training: Training) -> int:
    return max(1, round(training.settings.warmup_share * training.total_steps))


def _describe(evaluation: CurvePoint, is_best: bool) -> str:
    bits = evaluation.valid_bits_per_byte
    return (
        f"step {evaluation.step:>6}  epoch {evaluation.epoch:5.2f}   "
        f"loss {evaluation.train_loss:.3f} train, {evaluation.valid_loss:.3f} valid   "
        f"accuracy {evaluation.train_accuracy:.1%} train, {evaluation.valid_accuracy:.1%} valid"
        f"{'' if bits is None else f'   {bits:.3f} bits per byte'}"
        f"{'   best so far' if is_best else ''}"
    )
