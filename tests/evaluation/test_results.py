import json

import pytest

from buddy.errors import UserMistake
from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run
from buddy.evaluation.results import read_evaluation, to_json


def test_what_is_written_is_read(run):
    evaluation = evaluate_run(EvaluateSettings(run.folder, baselines=True, bootstrap=20))
    assert read_evaluation(run.file("metrics.json")) == evaluation
    assert json.loads(run.file("metrics.json").read_text()) == json.loads(json.dumps(to_json(evaluation)))


def test_the_layout_is_the_one_that_other_programs_rely_on(run):
    evaluate_run(EvaluateSettings(run.folder, baselines=True, bootstrap=20))
    record = json.loads(run.file("metrics.json").read_text())
    scores = {"accuracy", "top3_accuracy", "macro_f1", "weighted_f1", "nll", "ece"}
    assert {"split", "n", "temperature", "per_label", "intervals", "baselines", "uncalibrated"} | scores <= set(record)
    assert set(record["intervals"]) == scores
    assert set(record["per_label"]["sad"]) == {"precision", "recall", "f1", "support"}
    assert set(record["uncalibrated"]) == {"nll", "ece"}
    assert record["bootstrap"] == {"resamples": 20, "seed": 13, "level": 0.95}
    assert scores <= set(record["baselines"]["majority"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"split": "valid", "n": null}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserMistake, match=r"metrics\.json is damaged"):
        read_evaluation(tmp_path / "metrics.json")
