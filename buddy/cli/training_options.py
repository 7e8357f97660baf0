"""The options that `buddy train` and `buddy pretrain` have in common, and how both end."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import refuse_options

if TYPE_CHECKING:
    from buddy.training.stopping import StopRequest

ALLOWED_WITH_RESUME = {"resume", "out", "config"}

Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")]
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


def refuse_other_options(context: typer.Context) -> None:
    """With --resume the settings come from the run: an option that is quietly ignored would deceive."""
    others = context.params.keys() - ALLOWED_WITH_RESUME
    refuse_options(context, others, "is to be left out: a run that goes on keeps its own settings", config_too=True)


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

    by_accuracy = read_settings(run).best_by == "accuracy"
    history = read_history(run)
    best = max(history, key=lambda point: point.valid_accuracy if by_accuracy else -point.valid_loss)
    bits = best.valid_bits_per_byte
    unit = "" if bits is None else f", {bits:.3f} bits per byte"
    print(f"Best at step {best.step}: {best.valid_accuracy:.1%} right on valid, loss {best.valid_loss:.3f}{unit}.")
    print(f"Model: {run / 'best'}")
    following = f"evaluate {run}" if bits is None else f"train --data DIR --backbone {run / 'best'}"
    print(f"Next:  buddy {following}")
