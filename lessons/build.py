"""Make the notebooks from their scripts, run them, and keep what they print and draw.

    python lessons/build.py                                     # all
    python lessons/build.py lessons/3_emotion_classifier.py     # one

What changes from run to run without meaning anything (ids of cells, times, the Python version, lines of progress) is
left out, so that a change of a notebook is a change of the lesson.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

LESSONS = Path(__file__).parent
SECONDS_A_CELL = 900
"""So long may a cell take when the notebooks are tested, on a busy machine."""

PROGRESS = re.compile(r"\w+: [\d,]+ .*/s\b|\s*$")


def build(script: Path) -> None:
    """Run one script as a notebook and write it beside the script.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; nothing is written.
    """
    notebook = jupytext.read(script)
    client = NotebookClient(notebook, record_timing=False, resources={"metadata": {"path": str(LESSONS)}})
    client.execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.outputs = list(_worth_keeping(cell.get("outputs", [])))
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
        "execution": {"timeout": SECONDS_A_CELL},
    }
    nbformat.write(notebook, script.with_suffix(".ipynb"))  # type: ignore[no-untyped-call]


def _worth_keeping(outputs: Iterable[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    """Leave out lines of progress, put together what was printed in pieces, and pass over what is empty then."""
    last = None
    for output in outputs:
        if output.output_type != "stream":
            last = None
            yield output
            continue
        if output.name == "stderr":
            output.text = "".join(line for line in output.text.splitlines(keepends=True) if not PROGRESS.match(line))
        if last is not None and last.name == output.name:
            last.text += output.text
        elif output.text.strip():
            last = output
            yield output


if __name__ == "__main__":
    for script in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(LESSONS.glob("[0-9]*.py")):
        print(script.name, file=sys.stderr, flush=True)
        build(script)
