"""docs/run-directory.md names exactly the files and fields that a run has."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import DOCS, first_cells, sections

PAGE = sections(DOCS / "run-directory.md")


def named(heading: str) -> set[str]:
    """Give what the tables below a heading name."""
    return set(first_cells(PAGE[heading]))


@pytest.fixture
def run(trained_run, buddy):
    """A run that has been trained and evaluated."""
    shutil.copytree(trained_run, "learned")
    code, _, err = buddy("evaluate", "learned", "--baselines", "--bootstrap", 10)
    assert code == 0, err
    return Path("learned")


def test_files_and_fields_are_those_that_are_written(run):
    there = {path.name + "/" * path.is_dir() for path in run.iterdir()}
    assert {name for name in named("Files") if name.count("/") < 2} == there
    resume = {"optimizer.safetensors", "position.json"}
    model_files = named("best/ and last/") - resume
    assert {path.name for path in (run / "best").iterdir()} == model_files
    assert {path.name for path in (run / "last").iterdir()} == model_files | {"resume"}
    assert {path.name for path in (run / "last" / "resume").iterdir()} == resume <= named("best/ and last/")
    assert {path.name for path in (run / "figures").iterdir()} == {
        f"{name}.png" for name in ("loss", "accuracy", "confusion", "calibration")
    }

    points = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert all(set(point) == named("history.jsonl") for point in points)
    assert set(yaml.safe_load((run / "config.yaml").read_text())) == named("config.yaml")
    assert set(json.loads((run / "best" / "buddy.json").read_text())) == named("buddy.json")
    assert_metrics(json.loads((run / "metrics.json").read_text()))
    assert_columns(run / "predictions.parquet")


def assert_metrics(record: dict[str, Any]) -> None:
    """What stands one level down is named in the second column of the page."""
    assert set(record) == named("metrics.json")
    (row_of_label, *_), (row_of_bin, *_) = record["per_label"].values(), record["reliability"]["after"]
    (baseline, *_) = record["baselines"].values()
    below = {*row_of_label, *row_of_bin, *record["reliability"], *record["bootstrap"], *record["uncalibrated"]}
    below |= {*record["data"], *baseline}
    assert [name for name in below if f"`{name}`" not in PAGE["metrics.json"]] == []


def assert_columns(table: Path) -> None:
    import pyarrow.parquet as pq

    columns = pq.read_schema(table).names
    assert {name if not name.startswith("p_") else "p_<label>" for name in columns} == named("predictions.parquet")


def test_fields_that_others_add_are_named(buddy, exported_run):
    assert set(json.loads((exported_run / "buddy.json").read_text())) == named("buddy.json") | {"exported"}
    assert "`exported`" in PAGE["buddy.json"]
