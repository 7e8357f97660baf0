"""A model without the run that made it, such as an exported one: its results go to a folder of their own."""

import json
import shutil
from pathlib import Path

import pytest

from buddy.errors import UserMistake
from buddy.evaluation.evaluate import WITHOUT_RUN, EvaluateSettings, evaluate_run
from buddy.evaluation.report import write_report
from buddy.evaluation.run_folder import find_run, read_run
from buddy.models import find_model


@pytest.fixture
def settings(run, tmp_path):
    """The checkpoint of a run, judged as if nothing were known of the run."""
    return EvaluateSettings(run.file("best"), run.data, "valid", bootstrap=20, out=tmp_path / "results")


def test_results_go_where_they_are_told_to_and_the_model_is_left_alone(run, settings):
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    evaluation = evaluate_run(settings)
    page = write_report(settings.out).read_text()
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before
    names = {path.name for path in settings.out.iterdir()}
    assert names == {
        "config.yaml", "metrics.json", "metrics-valid.json", "predictions.parquet", "figures", "report.html"
    }  # fmt: skip
    assert json.loads((settings.out / "metrics.json").read_text())["accuracy"] == evaluation.scores.accuracy
    assert f"buddy evaluate {run.file('best')} --out {settings.out} --split valid --data {run.data}" in page
    assert "buddy train" not in page
    assert "judged without the run that made it" in page
    assert "The checkpoint was chosen on this split" not in page
    assert "It is not known whether it learned from some of these texts." in page


def test_the_temperature_is_used_as_it_is_even_on_valid(run, settings):
    run.file("best").joinpath("buddy.json").write_text(json.dumps({"temperature": 2.5}))
    evaluation = evaluate_run(settings)
    assert (evaluation.temperature, evaluation.temperature_fitted_here, run.stored) == (2.5, False, [])
    assert evaluation.notes == (WITHOUT_RUN,)


def test_baselines_learn_from_the_data_that_is_named(settings):
    from dataclasses import replace

    evaluation = evaluate_run(replace(settings, baselines=True))
    assert evaluation.baselines["TF-IDF + logistic regression"].scores.accuracy == 1.0


def test_another_split_joins_the_first_one(run, settings):
    from dataclasses import replace

    evaluate_run(settings)
    evaluate_run(replace(settings, split="test"))
    assert read_run(settings.out).model == run.file("best")
    assert {"metrics-valid.json", "metrics-test.json"} <= {path.name for path in settings.out.iterdir()}


def test_the_folder_of_results_can_be_named_in_place_of_the_model(run, settings):
    from dataclasses import replace

    first = evaluate_run(settings)
    again = evaluate_run(replace(settings, run=settings.out, out=None))
    assert again == first


def test_may_be_called_by_the_name_of_a_model_that_ships(tmp_path):
    assert find_run(Path("companion"), tmp_path / "results").model == find_model("companion")


class TestRefused:
    def test_a_model_without_a_place_for_its_results(self, run):
        with pytest.raises(UserMistake, match=r"is a model without a run; say where its results shall go with --out"):
            find_run(run.file("best"), None)

    def test_a_place_for_a_run_that_has_one(self, run, tmp_path):
        with pytest.raises(UserMistake, match="A run keeps its own results"):
            find_run(run.folder, tmp_path / "results")

    def test_a_model_without_data(self, run, tmp_path):
        with pytest.raises(UserMistake, match=r"best does not say which data .* name a prepared folder with --data"):
            evaluate_run(EvaluateSettings(run.file("best"), out=tmp_path / "results"))
        assert not (tmp_path / "results").exists()

    def test_the_folder_of_a_run(self, run):
        with pytest.raises(UserMistake, match="holds a run, or the results of another model"):
            find_run(run.file("best"), run.folder)

    def test_the_results_of_another_model(self, run, settings, tmp_path):
        evaluate_run(settings)
        other = shutil.copytree(run.file("best"), tmp_path / "other")
        with pytest.raises(UserMistake, match="holds a run, or the results of another model"):
            find_run(other, settings.out)
        assert find_run(run.file("best"), settings.out).model == run.file("best")


def test_an_exported_model_is_judged_as_its_checkpoint(buddy, exported_run, trained_run, moods):
    code, out, err = buddy("evaluate", exported_run, "--data", moods, "--out", "results", "--bootstrap", 5, "--json")
    assert (code, err.splitlines()[-1]) == (0, "Report: results/report.html")
    exported = json.loads(out)
    shutil.copytree(trained_run, "run")
    checkpoint = json.loads(buddy("evaluate", "run/best", "--data", moods, "--out", "of-best", "--json")[1])
    assert exported["accuracy"] == checkpoint["accuracy"]
    assert exported["nll"] == pytest.approx(checkpoint["nll"], abs=0.01)  # that one may be computed in bf16
