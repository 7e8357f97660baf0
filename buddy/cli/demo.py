"""`buddy demo`: the whole pipeline on the built-in data, offline."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app

EXAMPLES = """Examples:

  buddy demo

  buddy demo --out runs/first --epochs 3
"""


@app.command(epilog=EXAMPLES)
def demo(
    *,
    out: Annotated[Path | None, typer.Option(help="The run directory; runs/demo, runs/demo-2 … if not given.")] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data, at most.")] = 8.0,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Prepare the built-in data, fine-tune the base model on it, evaluate it, and write its report.

    A few minutes on two cores, without a network.
    """
    from buddy.cli.evaluate import evaluate
    from buddy.cli.prepare import prepare
    from buddy.cli.training_options import end_run
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run
    from buddy.training.settings import TrainSettings, suited_to

    run = out or _free_folder(Path("runs"), "demo")
    data = Path("data/builtin")
    _step("1 of 3", "Prepare: read, split and audit the built-in situations")
    prepare(source="builtin", out=data)
    _step("2 of 3", f"Train: fine-tune the base model that comes with buddy, into {run}")
    suited = suited_to("base", lora_rank=0)
    settings = TrainSettings(
        data=data.absolute(),
        out=run,
        backbone="base",
        epochs=epochs,
        learning_rate=suited.learning_rate,
        text_weight=suited.text_weight,
        dropout=suited.dropout,
        evaluations_per_epoch=1,
        patience=0,  # the curves are to be seen to their end
    )
    stop = start_run(settings, make_evaluate)
    try:
        end_run(run, stop, "train")
    except typer.Exit:
        print(f"And then: buddy evaluate {run} --baselines")
        raise
    _step("3 of 3", "Evaluate: scores with intervals, calibration, baselines, figures, report")
    evaluate(run, baselines=True)
    print(f"\nOpen the report:  {(run / 'report.html').absolute()}")
    print("Next: the real data:")
    print("  buddy prepare --source empathetic-dialogues   (downloads 28 MB; CC BY-NC 4.0)")
    print("  buddy train --data data/empathetic-dialogues")


def _free_folder(parent: Path, name: str) -> Path:
    """Give ``parent/name``, or the first of ``name-2``, ``name-3`` … that does not exist yet."""
    candidates = [parent / name, *(parent / f"{name}-{number}" for number in range(2, 1000))]
    return next(folder for folder in candidates if not folder.exists())


def _step(number: str, what: str) -> None:
    print(f"\n[{number}] {what}", file=sys.stderr, flush=True)
