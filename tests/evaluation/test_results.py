import json

import pytest

from buddy.errors import UserMistake
from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run
from buddy.evaluation.results import read_evaluation, to_json
from tests.evaluation.conftest import build_run


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


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A metrics.json with everything that can be in one."""
    with pytest.MonkeyPatch.context() as patch:
        run = build_run(tmp_path_factory.mktemp("run"), patch)
        evaluate_run(EvaluateSettings(run.folder, baselines=True, bootstrap=5))
    return json.loads(run.file("metrics.json").read_text())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("accuracy", float("nan")),
        ("nll", float("inf")),
        ("n", 0),
        ("n", -3),
        ("per_label", {}),
        ("per_label", {"sad": {"precision": "high", "recall": 1, "f1": 1, "support": 1}}),
        ("per_label", {"sad": {"precision": 1, "recall": 1, "f1": 1}}),
        ("reliability", {"before": [], "after": []}),
        ("baselines", []),
        ("notes", None),
        ("data", {"folder": "x", "fingerprint": "y", "examples": ["valid"]}),
        ("uncalibrated", {"nll": 1, "ece": None}),
        ("intervals", {"accuracy": [1, 2, 3]}),
        ("bootstrap", {"resamples": 5, "seed": -5, "level": 0.95}),
        ("bootstrap", {"resamples": "many", "seed": 1, "level": 0.95}),
        ("temperature", [1]),
    ],
)
def test_a_value_of_the_wrong_kind_is_damage(record, tmp_path, place, value):
    (tmp_path / "metrics.json").write_text(json.dumps({**record, place: value}))
    with pytest.raises(UserMistake, match=r"metrics\.json is damaged; `buddy evaluate .*` writes it anew"):
        read_evaluation(tmp_path / "metrics.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"split": "valid", "n": null}', "[" * 100_000, "\xff"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "metrics.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(UserMistake, match=r"metrics\.json is damaged"):
        read_evaluation(tmp_path / "metrics.json")
