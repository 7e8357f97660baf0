"""`buddy bench`: buddy against what one would otherwise write."""

import json
import statistics
from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app
from buddy.errors import UserMistake
from buddy.files import write_json

EXAMPLES = """Examples:

  buddy bench train --data data/builtin

  buddy bench train --data data/empathetic-dialogues --backbone scratch:gpt2 --texts 256 --out bench.json
"""

bench = typer.Typer(help="Measure buddy against what one would otherwise write.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command(epilog=EXAMPLES)
def train(
    *,
    data: Annotated[Path, typer.Option(help="A folder made by `buddy prepare`.")] = Path("data/builtin"),
    backbone: Annotated[str, typer.Option(help="scratch:tiny, scratch:small or scratch:gpt2.")] = "scratch:small",
    batch_size: Annotated[int, typer.Option(min=1, help="Texts per step, for both.")] = 32,
    texts: Annotated[int, typer.Option(min=1, help="Texts in the one epoch.")] = 2048,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each side, taking turns.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which texts, which weights.")] = 13,
    out: Annotated[Path | None, typer.Option(help="Also write everything measured as JSON.")] = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Training speed and peak memory, against the Hugging Face Trainer with its defaults."""
    from buddy.bench.train import BenchTrainSettings, bench_train

    if out is not None and out.is_dir():
        raise UserMistake(f"{out} is a folder; --out names a file.")
    comparison = bench_train(BenchTrainSettings(data, backbone, batch_size, texts, rounds, seed))
    print(f"{backbone}, {comparison.settings.texts} texts, {batch_size} per step, medians of {rounds} rounds")
    for name, sides in (("buddy", comparison.buddy), ("Trainer", comparison.trainer)):
        speed = statistics.median(side.texts_per_second for side in sides)
        memory = statistics.median(side.peak_megabytes for side in sides)
        print(f"  {name:<8} {speed:8.1f} texts/s   peak {memory:6.0f} MB")
    ratios = comparison.speed_ratios()
    print(f"  buddy is {statistics.median(ratios):.1f} times as fast ({min(ratios):.1f} to {max(ratios):.1f})")
    print(f"  memory: {json.dumps([round(r, 2) for r in comparison.memory_ratios()])} of the Trainer's, by round")
    if out is not None:  # last, so that a full disk does not cost the measurement
        write_json(out, comparison.to_json())
