"""A training run from its settings to its directory: read, build, loop."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from torch import nn

from buddy.data.prepared import PreparedData, read_prepared
from buddy.errors import EnvironmentFault, UserMistake, is_out_of_memory, quote
from buddy.files import held
from buddy.progress import progress
from buddy.text.rows import TextCorpus, read_corpus
from buddy.text.tokenizer import Codec
from buddy.training import checkpoint
from buddy.training.backbone import (
    Backbone,
    add_lora,
    load_backbone,
    new_backbone,
    new_tokenizer,
    quiet_transformers,
    recompute_layers,
    set_dropout,
    wrap_tokenizer,
)
from buddy.training.checkpoint import CurvePoint, Position
from buddy.training.device import Device, choose_device, keep_freed_memory, seed_everything
from buddy.training.gpt2 import GPT2LMHeadModel, find_quick_gpt2
from buddy.training.lessons import Lessons, labelled_lessons, streamed_lessons, text_lessons, training_texts
from buddy.training.loop import Evaluate, Training, tokens_per_pass, train
from buddy.training.optimizer import make_optimizer
from buddy.training.settings import TrainSettings
from buddy.training.sharding import is_sharded, shard
from buddy.training.stopping import EarlyStopping, StopRequest, stop_on_signal

ROOM_BESIDE_LABEL = 8
"""Tokens for the marks and a first few words of text."""

LOCK_FILE = ".lock"
"""In the run directory, while it is written to."""

LOST_PROCESS = re.compile(r"gloo|NCCL|[Cc]onnection|[Tt]imed out|[Bb]roken pipe|[Rr]emote")
"""What the errors of the libraries speak of that carry gradients from one process to another."""


class MakeEvaluate(Protocol):
    """Builds the evaluate function of a run; handed in, because metrics belong to a later part."""

    def __call__(
        self,
        settings: TrainSettings,
        labels: Sequence[str],
        codec: Codec,
        lessons: Lessons,
        device: Device,
    ) -> Evaluate:
        """Give a function that scores a model on ``train`` and ``valid``."""


def start_run(settings: TrainSettings, make_evaluate: MakeEvaluate) -> StopRequest:
    """Train a model as asked, from the first step.

    Args:
        settings: what to do; ``settings.out`` becomes the run directory.
        make_evaluate: builds the function that scores the model now and then.

    Returns:
        Whether the run was asked to stop before its end.

    Raises:
        UserMistake: the run directory is taken, the data or the backbone cannot be read.
    """
    refuse_taken_folder(settings.out)
    return _run(settings, make_evaluate, goes_on=False)


def refuse_taken_folder(out: Path) -> None:
    """Leave a folder alone that holds a run or a model.

    Raises:
        UserMistake: it does.
    """
    if (out / "config.yaml").exists():
        raise UserMistake(f"{out} holds a run already; go on with --resume, or name another --out.")
    for name in ("best", "last"):
        if (out / name).exists():
            raise UserMistake(f"{out / name} is there already and would be replaced; name another --out.")


def resume_run(settings: TrainSettings, make_evaluate: MakeEvaluate) -> StopRequest:
    """Go on with an interrupted run; it ends with the same weights, to the bit, as one that was not interrupted.

    Args:
        settings: as ``checkpoint.read_settings`` gives them for the run; those of memory and time may be others, and
            are written down (then the weights differ by rounding, and by what dropout draws).
        make_evaluate: the one that the run began with.

    Returns:
        Whether the run was asked to stop again.

    Raises:
        UserMistake: what it learns from has changed since, what it had saved is lost, or it is still running.
    """
    return _run(settings, make_evaluate, goes_on=True)


def _run(settings: TrainSettings, make_evaluate: MakeEvaluate, goes_on: bool) -> StopRequest:
    device, accelerator = meet_processes(settings)
    alone = held(settings.out / LOCK_FILE) if accelerator.is_main_process else nullcontext()
    with telling_what_takes_less(settings, device), _telling_of_a_lost_process(accelerator, settings.out), alone:
        is_new = not (goes_on and _find_checkpoint(settings.out, accelerator))
        training, data = read_and_build(settings, make_evaluate, device, accelerator, is_new)
        if training.is_writer:  # only now, so that a start which is refused leaves nothing behind
            checkpoint.cut_history(settings.out, training.position.evaluations)
            if is_new:
                checkpoint.write_config(settings, data, device, training.backbone)
            elif settings != checkpoint.read_settings(settings.out):
                checkpoint.change_settings(settings)
            _announce(training, data, is_new)
        done = training.position.step
        bar_of_steps = progress("training", training.total_steps, "steps", done, shown=training.is_writer)
        with stop_on_signal() as stop, _recorder(training), bar_of_steps as bar:
            is_stopped = train(training, stop, bar)
    return stop if is_stopped else StopRequest()


def meet_processes(settings: TrainSettings) -> tuple[Device, Accelerator]:
    """Choose the device, and meet the other processes if there are any."""
    keep_freed_memory()
    device = choose_device(settings.device, settings.number_format)
    return device, Accelerator(cpu=device.name == "cpu", mixed_precision="no")  # the number format is the device's


def _find_checkpoint(run: Path, accelerator: Accelerator) -> bool:
    """Say whether there is something to go on from; no process looks before the first one has put the folder right."""
    if accelerator.is_main_process:
        checkpoint.repair(run)
    accelerator.wait_for_everyone()
    return checkpoint.has_checkpoint(run)


def read_and_build(
    settings: TrainSettings, make_evaluate: MakeEvaluate, device: Device, accelerator: Accelerator, is_new: bool
) -> tuple[Training, PreparedData | TextCorpus]:
    """Read the data and build all that the loop works with; nothing is written."""
    quiet_transformers()
    data = read_corpus(settings.data) if settings.task == "text" else read_prepared(settings.data)
    _require_two_labels(data)
    return build_training(settings, data, device, accelerator, make_evaluate, is_new), data


def build_training(
    settings: TrainSettings,
    data: PreparedData | TextCorpus,
    device: Device,
    accelerator: Accelerator,
    make_evaluate: MakeEvaluate,
    is_new: bool,
) -> Training:
    """Bring together all that the loop works with; a run that goes on is put back to where it was saved."""
    seed_everything(settings.seed)
    backbone = _make_backbone(settings, data, is_new)
    if settings.gradient_checkpointing:
        recompute_layers(backbone.model)
    if settings.compile:
        _compile(backbone)
    if settings.shard:  # before it moves: a device may have room for a share only
        shard(backbone.model, device)
    backbone.model.to(torch.device(device.name))  # type: ignore[arg-type]
    optimizer = make_optimizer(backbone.model, settings.weight_decay)
    position, stopping = Position(), EarlyStopping(settings.patience)
    if not is_new:
        checkpoint.check_unchanged(settings, data, backbone)
        position, stopping = checkpoint.restore_last(settings.out, backbone, optimizer, settings)
    asked, settings = settings.max_tokens, replace(settings, max_tokens=min(settings.max_tokens, backbone.positions))
    _require_room(settings.max_tokens, asked, backbone.codec, data)
    lessons = _make_lessons(settings, data, backbone.codec)
    evaluate = make_evaluate(settings, data.labels, backbone.codec, lessons, device)
    return Training(
        settings=settings,
        labels=data.labels,
        backbone=backbone,
        model=_wrap(backbone.model, accelerator),
        optimizer=optimizer,
        device=device,
        accelerator=accelerator,
        lessons=lessons,
        evaluate=evaluate,
        position=position,
        stopping=stopping,
        record=partial(checkpoint.append_history, settings.out),
    )


def _make_lessons(settings: TrainSettings, data: PreparedData | TextCorpus, codec: Codec) -> Lessons:
    if isinstance(data, TextCorpus) and data.width > settings.max_tokens:
        raise UserMistake(f"The model reads {settings.max_tokens} tokens, not {data.width}; lower --max-tokens.")
    if isinstance(data, TextCorpus):
        return text_lessons(data)
    fits = sum(data.blocks("train")) <= settings.documents_in_memory
    return labelled_lessons(settings, data, codec) if fits else streamed_lessons(settings, data, codec)


def _make_backbone(settings: TrainSettings, data: PreparedData | TextCorpus, is_new: bool) -> Backbone:
    if not is_new and not settings.lora_rank:
        backbone = load_backbone(str(settings.out / "last"))
    elif settings.backbone.startswith("scratch:"):
        if isinstance(data, TextCorpus):
            tokenizer = wrap_tokenizer(data.tokenizer())
        else:
            texts = training_texts(data, settings.task)
            tokenizer = new_tokenizer(texts, data.labels, settings.vocabulary_size)
        backbone = new_backbone(settings.backbone, tokenizer)
    else:
        backbone = load_backbone(settings.backbone)
    if settings.dropout is not None:
        _require_gpt2(backbone, settings.dropout, is_new)
        set_dropout(backbone.model, settings.dropout)
    return add_lora(backbone, settings.lora_rank) if settings.lora_rank else backbone


def _require_gpt2(backbone: Backbone, dropout: float, is_new: bool) -> None:
    """Refuse a dropout that would do nothing; a run that began with one goes on, and 0 is what `pretrain` asks for."""
    if is_new and dropout and not isinstance(backbone.model, GPT2LMHeadModel):
        kind = backbone.model.config.model_type
        raise UserMistake(f"A model of the kind {kind} keeps its own dropout; leave out --dropout.")


def _wrap(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    """Let several processes add up their gradients; those that share a model do so already."""
    if is_sharded(model):
        return model
    return accelerator.prepare_model(model, device_placement=False)  # type: ignore[no-any-return]


def _compile(backbone: Backbone) -> None:
    quick = find_quick_gpt2(backbone.model)
    if quick is not None:
        quick.compile_layers()
    else:
        backbone.model.compile()


def _require_two_labels(data: PreparedData | TextCorpus) -> None:
    if len(data.labels) < 2:
        raise UserMistake(
            f"{data.folder} has the one label {quote(data.labels[0])} only; there is nothing to tell apart."
        )


def _require_room(max_tokens: int, asked: int, codec: Codec, data: PreparedData | TextCorpus) -> None:
    """A label that does not fit behind a word of text, between the marks, would leave no room for the text."""
    longest = max(data.labels, key=lambda label: len(codec.encode_label(label)))
    needed = len(codec.encode_label(longest)) + ROOM_BESIDE_LABEL
    if needed > max_tokens:
        if asked > max_tokens:
            raise UserMistake(
                f"The label {quote(longest)} is too long for this model, which reads {max_tokens} tokens."
            )
        raise UserMistake(f"The label {quote(longest)} needs --max-tokens {needed} or more, not {max_tokens}.")


@contextmanager
def _recorder(training: Training) -> Iterator[None]:
    """Also write TensorBoard events while the block runs, when the settings ask for it."""
    if not training.settings.tensorboard or not training.is_writer:
        yield
        return
    from torch.utils.tensorboard import SummaryWriter

    write_line = training.record
    with SummaryWriter(str(training.run / "tensorboard")) as writer:

        def record(evaluation: CurvePoint) -> None:
            write_line(evaluation)
            for name in ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy", "learning_rate"):
                writer.add_scalar(name, getattr(evaluation, name), evaluation.step)
            if evaluation.valid_bits_per_byte is not None:
                writer.add_scalar("valid_bits_per_byte", evaluation.valid_bits_per_byte, evaluation.step)

        training.record = record
        yield


@contextmanager
def telling_what_takes_less(settings: TrainSettings, device: Device, is_trial: bool = False) -> Iterator[None]:
    """Say what to try when memory runs out in a block, and how a run that has begun goes on.

    Args:
        settings: of the run.
        device: where it is.
        is_trial: nothing is written; what stands in the folder of the run is another one.

    Raises:
        EnvironmentFault: it did.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        has_begun = not is_trial and (settings.out / "config.yaml").exists()
        raise EnvironmentFault(_what_takes_less(settings, device, has_begun)) from error


def _what_takes_less(settings: TrainSettings, device: Device, has_begun: bool) -> str:
    at_once = tokens_per_pass(settings, device)
    less = [f"--tokens-per-pass {at_once // 2}"] if at_once > settings.max_tokens else []  # else a text has a pass
    less += [] if settings.gradient_checkpointing else ["--gradient-checkpointing"]
    sentence = f"Memory ran out ({device.name}, {at_once:,} tokens a pass)"
    if not less:
        return f"{sentence}; end other programs, or start a new run with a lower --max-tokens or a smaller model."
    if not has_begun:
        return f"{sentence}; try {' or '.join(less)}."
    command = "pretrain" if settings.task == "text" else "train"
    return f"{sentence}; go on with less: buddy {command} --resume --out {settings.out} {' or '.join(less)}."


@contextmanager
def _telling_of_a_lost_process(accelerator: Accelerator, run: Path) -> Iterator[None]:
    """Say what it means when an exchange with the other processes fails; PyTorch has no class of error for it."""
    try:
        yield
    except RuntimeError as error:
        if accelerator.num_processes == 1 or not LOST_PROCESS.search(str(error)):
            raise
        raise EnvironmentFault(
            f"Process {accelerator.process_index + 1} of {accelerator.num_processes} has lost another one; the log of "
            f"that one says why. What was saved is kept: start all of them again with --resume --out {run}."
        ) from error


def _announce(training: Training, data: PreparedData | TextCorpus, is_new: bool) -> None:
    settings, steps = training.settings, training.total_steps
    total, trained = training.backbone.parameters()
    share = "" if trained == total else f", {trained / 1e6:.2f}M of them trained"
    lines = [
        f"data      {data.folder}: {training.lessons.per_epoch:,} documents to learn, {len(data.labels)} labels",
        f"model     {settings.backbone}, {total / 1e6:.1f}M parameters{share}",
        f"device    {training.device.reason}",
        f"plan      {steps:,} steps of {settings.batch_size} documents, at most {settings.epochs:g} epochs",
        f"run       {settings.out}" + ("" if is_new else f", going on at step {training.position.step:,}"),
    ]
    print("\n".join(lines), file=sys.stderr)
