"""The options that `buddy train` and `buddy pretrain` have in common, and how both end."""

import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import is_given, refuse_options

if TYPE_CHECKING:
    from buddy.training.settings import TrainSettings
    from buddy.training.stopping import StopRequest

ALLOWED_WITH_RESUME = {"resume", "out", "config"}

CHANGED_BY_RESUME = {"tokens_per_pass", "gradient_checkpointing", "compile", "shard", "save_minutes"}
"""Settings about memory and time: with others a run learns the same, up to rounding and what dropout draws."""

Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the interrupted run in --out; options of memory and time may change."),
]
TokensPerPass = Annotated[
    int, typer.Option(min=0, help="Tokens computed at once; lower it if memory runs out. 0: by device.")
]
WarmupShare = Annotated[float, typer.Option(min=0, max=1, help="Share of the steps that climb to it.")]
WeightDecay = Annotated[float, typer.Option(min=0, help="Pull of the matrices towards zero.")]
MaxGradientNorm = Annotated[float, typer.Option(help="Longer gradients are scaled down to this.")]
VocabularySize = Annotated[int, typer.Option(min=300, help="Of the tokenizer that scratch trains.")]
EvaluationsPerEpoch = Annotated[int, typer.Option(min=1, help="Points on the curves per epoch.")]
Patience = Annotated[int, typer.Option(min=0, help="Evaluations without a new best before it stops; 0: never.")]
SaveMinutes = Annotated[float, typer.Option(min=0, help="last/ is at most this old.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything random.")]
DeviceName = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]
NumberFormat = Annotated[str, typer.Option(help="auto, bf16 or fp32.")]
GradientCheckpointing = Annotated[
    bool, typer.Option("--gradient-checkpointing", help="Compute each layer twice: less memory, a third more time.")
]
Compile = Annotated[
    bool, typer.Option("--compile", help="Compile the layers first: takes a minute, pays on an accelerator.")
]
TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard events.")]


def absolute_if_folder(backbone: str) -> str:
    """Keep a folder findable when a run is resumed from somewhere else; a name stays a name."""
    return str(Path(backbone).absolute()) if Path(backbone).is_dir() else backbone


def settings_to_go_on(context: typer.Context, run: Path) -> "TrainSettings":
    """Give the settings of a run that goes on: its own, but for those of memory and time that are given anew.

    Raises:
        UserMistake: another option is given, since one that is quietly ignored would deceive; or the folder is no run.
    """
    from buddy.training.checkpoint import read_settings

    others = context.params.keys() - ALLOWED_WITH_RESUME - CHANGED_BY_RESUME
    refuse_options(context, others, "is to be left out: a run that goes on keeps its own settings", config_too=True)
    changed = CHANGED_BY_RESUME & context.params.keys()
    given = {name: context.params[name] for name in changed if is_given(context, name, config_too=True)}
    return replace(read_settings(run), **given)


def refuse_vocabulary_size(context: typer.Context, backbone: str) -> None:
    """Refuse the size of a tokenizer that is there already.

    Raises:
        UserMistake: it was typed.
    """
    if not backbone.startswith("scratch:"):
        because = f"is of the tokenizer that scratch trains; leave it out, for {backbone} has one"
        refuse_options(context, {"vocabulary_size"}, because)


def processes() -> int:
    """Say how many processes train, as their launcher tells them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def end_run(run: Path, stop: "StopRequest", command: str) -> None:
    """Say how a run ended, in one process of several; one that was stopped ends with its signal's exit code."""
    if int(os.environ.get("RANK", "0")) == 0:
        print_outcome(run, stop.signal_number, command)
    if stop.signal_number is not None:
        raise typer.Exit(128 + stop.signal_number)


def print_outcome(run: Path, signal_number: int | None, command: str) -> None:
    """Say how a run ended and what to type next."""
    if signal_number is not None:
        how, buddy = signal.Signals(signal_number).name, "buddy" if shutil.which("buddy") else sys.argv[0]
        print(f"Stopped by {how} and saved. Go on with: {buddy} {command} --resume --out {run}")
        return
    from buddy.training.checkpoint import read_history, read_settings

    settings = read_settings(run)
    by_accuracy = settings.best_by == "accuracy"
    history = read_history(run)
    best = max(history, key=lambda point: point.valid_accuracy if by_accuracy else -point.valid_loss)
    bits = best.valid_bits_per_byte
    unit = "" if bits is None else f", {bits:.3f} bits per byte"
    print(f"Best at step {best.step}: {best.valid_accuracy:.1%} right on valid, loss {best.valid_loss:.3f}{unit}.")
    print(f"Model: {run / 'best'}")
    following = f"evaluate {run}" if bits is None else _fine_tuning(run / "best", settings.backbone)
    print(f"Next:  buddy {following}")


def _fine_tuning(model: Path, backbone: str) -> str:
    """Say how a base model is fine-tuned; what ``base`` or scratch became is, as ``base`` itself."""
    from buddy.training.settings import suited_to

    command = f"train --data DIR --backbone {model}"
    if backbone != "base" and not backbone.startswith("scratch:"):
        return command
    base = suited_to("base", lora_rank=0)
    return f"{command} --epochs {base.epochs:g} --learning-rate {base.learning_rate:g} --dropout {base.dropout:g}"
