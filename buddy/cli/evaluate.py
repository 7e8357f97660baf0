"""`buddy evaluate`: how good is a run, and how sure is that."""

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import ConfigOption, app

if TYPE_CHECKING:
    from rich.table import Table

    from buddy.evaluation.results import Evaluation

EXAMPLES = """Examples:

  buddy evaluate runs/emotion

  buddy evaluate runs/emotion --baselines

  buddy evaluate runs/emotion --split test --json > test.json
"""


class Split(str, Enum):
    """The splits on which a model may be judged."""

    valid = "valid"
    test = "test"


@app.command(epilog=EXAMPLES)
def evaluate(
    run: Annotated[Path, typer.Argument(help="The run directory that `buddy train` wrote.")],
    data: Annotated[
        Path | None, typer.Option(help="A prepared folder.", show_default="the one the run was trained on")
    ] = None,
    split: Annotated[Split, typer.Option(help="Which split to judge; look at test once, at the end.")] = Split.valid,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Judge simple systems on the same texts, too.")
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the 95% intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples and of the shown examples.")] = 13,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Score a run, calibrate its probabilities, and write figures and report.html into it.

    The temperature is fitted on valid and stored with the checkpoint; test uses it as it is.
    """
    from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run
    from buddy.evaluation.report import write_report
    from buddy.evaluation.results import to_json

    settings = EvaluateSettings(run, data, split.value, baselines, bootstrap, seed)
    evaluation = evaluate_run(settings)
    report = write_report(run)
    if as_json:
        print(json.dumps(to_json(evaluation), indent=2, ensure_ascii=False))
    else:
        _print_result(evaluation)
    typer.echo(f"Report: {report}", err=True)


def _print_result(evaluation: "Evaluation") -> None:
    """Print the table of scores, framed on a terminal and as aligned text anywhere else."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=200, color_system=None)
    console.print(_title(evaluation), highlight=False, markup=False)
    console.print(_table(evaluation, framed=console.is_terminal))
    for note in evaluation.notes:
        console.print(note, highlight=False, markup=False)


def _title(evaluation: "Evaluation") -> str:
    resamples = evaluation.bootstrap.resamples
    title = f"{evaluation.split}: {evaluation.n:,} texts, {len(evaluation.per_label)} labels"
    return f"{title}, 95% intervals from {resamples:,} resamples" if resamples else title


def _table(evaluation: "Evaluation", framed: bool) -> "Table":
    from rich import box
    from rich.table import Table

    from buddy.evaluation.page import score_rows, shown_name, system_names

    table = Table("measure", box=box.ROUNDED if framed else None)
    for system in system_names(evaluation):
        table.add_column(shown_name(system), justify="right")
    for row in score_rows(evaluation):
        table.add_row(row.measure.name, *(f"{cell.value} [dim]{_bracket(cell.interval)}[/dim]" for cell in row.cells))
    return table


def _bracket(interval: str) -> str:
    return f"({interval})" if interval else ""
