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

  buddy evaluate models/emotion --data data/moods --out results/emotion
"""


class Split(str, Enum):
    """The splits on which a model may be judged."""

    valid = "valid"
    test = "test"


@app.command(epilog=EXAMPLES)
def evaluate(
    run: Annotated[
        Path, typer.Argument(help="The run directory that `buddy train` wrote, or a model without its run.")
    ],
    *,
    data: Annotated[
        Path | None, typer.Option(help="A prepared folder.", show_default="the one the run was trained on")
    ] = None,
    split: Annotated[Split, typer.Option(help="Which split to judge; look at test once, at the end.")] = Split.valid,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Judge simple systems on the same texts, too.")
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the 95% intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples, the replies and the shown examples.")] = 13,
    replies: Annotated[
        int, typer.Option(min=0, help="Conversations in which a companion is made to reply; 0 for none.")
    ] = 200,
    out: Annotated[
        Path | None, typer.Option(help="Where the results of a model without a run go; a run keeps its own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Score a run, calibrate its probabilities, and write figures and report.html into it.

    The temperature is fitted on valid and stored with the checkpoint; test uses it as it is.
    """
    from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run
    from buddy.evaluation.report import write_report
    from buddy.evaluation.results import to_json

    settings = EvaluateSettings(run, data, split.value, baselines, bootstrap, seed, replies, out)
    evaluation = evaluate_run(settings)
    report = write_report(out or run)
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
    for table in (_table, _reply_table, _trait_table):
        if (shown := table(evaluation, framed=console.is_terminal)) is not None:
            console.print(shown)
    for note in evaluation.notes:
        console.print(note, highlight=False, markup=False)


def _title(evaluation: "Evaluation") -> str:
    resamples = evaluation.bootstrap.resamples
    title = f"{evaluation.split}: {evaluation.n:,} texts, {len(evaluation.per_label)} labels"
    return f"{title}, 95% intervals from {resamples:,} resamples" if resamples else title


def _table(evaluation: "Evaluation", framed: bool) -> "Table":
    from buddy.evaluation.page import score_rows, shown_name, system_names

    table = _empty_table(framed, "measure", *map(shown_name, system_names(evaluation)))
    for row in score_rows(evaluation):
        table.add_row(row.measure.name, *(f"{cell.value} [dim]{_bracket(cell.interval)}[/dim]" for cell in row.cells))
    return table


def _reply_table(evaluation: "Evaluation", framed: bool) -> "Table | None":
    from buddy.evaluation.page_replies import reply_rows

    if evaluation.companion is None:
        return None
    perplexity = evaluation.companion.perplexity
    table = _empty_table(framed, f"{perplexity.replies:,} replies in {perplexity.conversations:,} conversations", "")
    for row in reply_rows(evaluation.companion):
        table.add_row(row.name, f"{row.value} [dim]{_bracket(row.interval)}[/dim]")
    return table


def _trait_table(evaluation: "Evaluation", framed: bool) -> "Table | None":
    from buddy.evaluation.page_replies import trait_rows

    if evaluation.companion is None or evaluation.companion.generated is None:
        return None
    generated = evaluation.companion.generated
    title = f"{generated.replies:,} replies written in {generated.conversations:,} conversations"
    table = _empty_table(framed, title, "this model", "people")
    for row in trait_rows(generated):
        table.add_row(row.name, row.of_model, row.of_people)
    return table


def _empty_table(framed: bool, first: str, *others: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(first, box=box.ROUNDED if framed else None)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _bracket(interval: str) -> str:
    return f"({interval})" if interval else ""
