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
    epochs: Annotated[float, typer.Option(help="Passes over the data, at most.")] = 15.0,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Prepare the built-in data, train a tiny model on it from scratch, evaluate it, and write its report.

    A few minutes on two cores, without a network. From scratch and on 2,560 texts a transformer learns little: the
    point is to see every stage work. EmpatheticDialogues, or a pretrained backbone, gives a useful model.
    """
    from buddy.cli.evaluate import evaluate
    from buddy.cli.prepare import prepare
    from buddy.cli.train import print_outcome
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run
    from buddy.training.settings import TrainSettings

    run = out or _free_folder(Path("runs"), "demo")
    data = Path("data/builtin")
    _step("1 of 3", "Prepare: read, split and audit the built-in situations")
    prepare(source="builtin", out=data)
    _step("2 of 3", f"Train: a tiny GPT-2 from random weights, into {run}")
    settings = TrainSettings(
        data=data.absolute(),
        out=run,
        backbone="scratch:tiny",
        learning_rate=3e-3,  # so small a model bears it
        epochs=epochs,
        evaluations_per_epoch=1,
        patience=5,
    )
    stop = start_run(settings, make_evaluate)
    print_outcome(run, stop.signal_number)
    if stop:
        raise typer.Exit(128 + (stop.signal_number or 0))
    _step("3 of 3", "Evaluate: scores with intervals, calibration, baselines, figures, report")
    evaluate(run, baselines=True)
    print(f"\nOpen the report:  {(run / 'report.html').absolute()}")
    print("Next: the real data and a better model:")
    print("  buddy prepare --source empathetic-dialogues   (downloads 28 MB; CC BY-NC 4.0)")
    print("  buddy train --data data/empathetic-dialogues")


def _free_folder(parent: Path, name: str) -> Path:
    """Give ``parent/name``, or the first of ``name-2``, ``name-3`` … that holds nothing yet."""
    candidates = [parent / name, *(parent / f"{name}-{number}" for number in range(2, 1000))]
    return next(folder for folder in candidates if not folder.exists())


def _step(number: str, what: str) -> None:
    print(f"\n[{number}] {what}", file=sys.stderr, flush=True)
