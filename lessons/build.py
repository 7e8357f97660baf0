"""Make the notebooks from their scripts, run them, and keep what they print and draw.

    python lessons/build.py                                     # all
    python lessons/build.py lessons/3_emotion_classifier.py     # one

What changes from run to run without meaning anything (ids of cells, times, the Python version) is left out, so
that a change of a notebook is a change of the lesson.
"""

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

LESSONS = Path(__file__).parent


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
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    nbformat.write(notebook, script.with_suffix(".ipynb"))


if __name__ == "__main__":
    for script in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(LESSONS.glob("[0-9]*.py")):
        print(script.name, file=sys.stderr, flush=True)
        build(script)
