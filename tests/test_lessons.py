"""The notebooks are what their scripts say, were run, and tell nothing about the machine they were run on."""

import json
import re
from pathlib import Path
from typing import Any

import jupytext
import pytest

LESSONS = Path(__file__).parents[1] / "lessons"
SCRIPTS = sorted(LESSONS.glob("[0-9]*.py"))

lesson = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)


def cells(file: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in jupytext.read(file).cells]


def outputs(script: Path) -> list[dict[str, Any]]:
    notebook = json.loads(script.with_suffix(".ipynb").read_text("utf-8"))
    return [output for cell in notebook["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]


def test_there_are_four():
    assert [script.stem for script in SCRIPTS] == ["1_clusters", "2_kmeans", "3_emotion_classifier", "4_companion"]


@lesson
def test_the_notebook_has_the_cells_of_the_script(script):
    assert cells(script.with_suffix(".ipynb")) == cells(script)


@lesson
def test_the_notebook_was_run_from_top_to_bottom(script):
    notebook = json.loads(script.with_suffix(".ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = [output["output_type"] for output in outputs(script)]
    assert "error" not in kinds
    assert sum("image/png" in json.dumps(output) for output in outputs(script)) >= 2


@lesson
def test_outputs_do_not_tell_where_they_were_made(script):
    shown = json.dumps([{**output, "data": {**output.get("data", {}), "image/png": ""}} for output in outputs(script)])
    assert re.findall(r"(?<![\w.<])/\w+/\S*|site-packages\S*", shown) == []


@lesson
def test_begins_with_a_badge_and_a_cell_that_installs(script):
    first, *others = cells(script)
    code = next(source for kind, source in others if kind == "code")
    assert f"colab.research.google.com/github/buddy-companion/buddy/blob/main/lessons/{script.stem}.ipynb" in first[1]
    assert "buddy-companion[lessons]" in code


@lesson
def test_links_lead_somewhere(script):
    for kind, source in cells(script):
        if kind == "markdown":
            for target in re.findall(r"\]\((?!https?:)([^)#]+)", source):
                assert (LESSONS / target).exists(), target


def test_the_contents_page_names_each():
    page = (LESSONS / "README.md").read_text("utf-8")
    assert re.findall(r"\((\d\w+\.ipynb)\)", page) == [f"{script.stem}.ipynb" for script in SCRIPTS]
