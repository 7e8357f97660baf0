"""`buddy report`: the figures and the page of a run, made again from its files."""

from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app

EXAMPLES = """Examples:

  buddy report runs/emotion

  xdg-open $(buddy report runs/emotion)
"""


@app.command(epilog=EXAMPLES)
def report(
    run: Annotated[Path, typer.Argument(help="The run directory that `buddy train` wrote.")],
    *,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Write figures and report.html from the files of a run, without its model, and print where the page is.

    Before an evaluation the page has the curves and the settings only.
    """
    from buddy.evaluation.report import write_report

    print(write_report(run))
