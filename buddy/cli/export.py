"""`buddy export`: from a trained model to a small folder that needs no PyTorch."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app
from buddy.inference.folder import Quantization

EXAMPLES = """Examples:

  buddy export runs/emotion --out models/emotion

  buddy export runs/companion --quantization float32 --out models/exact
"""


class Format(str, Enum):
    """What a model can be exported to."""

    ctranslate2 = "ctranslate2"


@app.command(epilog=EXAMPLES)
def export(
    run: Annotated[Path, typer.Argument(help="The run directory that `buddy train` wrote, or one of its checkpoints.")],
    *,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    export_format: Annotated[  # noqa: ARG001  (there is one so far)
        Format, typer.Option("--format", help="What to make of it.")
    ] = Format.ctranslate2,
    quantization: Annotated[
        Quantization, typer.Option(help="How the weights are stored; float32 answers as the checkpoint does.")
    ] = "int8",
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Make a small folder of a trained model, to classify and chat on a CPU without PyTorch.

    The best checkpoint of the run is taken.
    """
    from buddy.inference.export import export_model

    export_model(run, out, quantization)
    for file in sorted(out.iterdir(), key=lambda file: (-file.stat().st_size, file.name)):
        print(f"{file.name:<16} {_size(file.stat().st_size):>9}")
    print(f"Model: {out}")
    print(f'Next:  buddy classify "I lost my cat." --model {out}')


def _size(number: int) -> str:
    """Write a size as file managers do.

    Example:
        >>> _size(14_685_837), _size(129)
        ('14.7 MB', '129 B')
    """
    if number < 1000:
        return f"{number} B"
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:.1f} kB"
