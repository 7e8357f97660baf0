import json
from pathlib import Path

import numpy as np
import pytest

from buddy.data.prepared import PreparedData, read_prepared, write_prepared
from buddy.errors import UserMistake
from buddy.evaluation import evaluate
from buddy.evaluation.calibration import fit_temperature, temper
from buddy.evaluation.companion import judge_companion
from buddy.evaluation.evaluate import FITTED_HERE, NO_CONVERSATIONS, REPLACED, EvaluateSettings, evaluate_run
from buddy.evaluation.metrics import Floats, Integers, expected_calibration_error
from buddy.evaluation.predictions import read_predictions
from buddy.evaluation.results import Evaluation
from buddy.files import atomic_folder
from buddy.records import Dialogue, Example
from tests.evaluation.conftest import FakeRun, make_examples
from tests.evaluation.speaking import make_dialogues


def judge(run: FakeRun, split: str = "valid", data: Path | None = None, baselines: bool = False) -> Evaluation:
    return evaluate_run(EvaluateSettings(run.folder, data, split, baselines, bootstrap=50))


def model_on(run: FakeRun, split: str) -> tuple[Floats, Integers]:
    examples = read_prepared(run.data).examples(split)
    truth = np.array([run.model.labels.index(example.label) for example in examples])
    return run.model.log_scores([example.text for example in examples]), truth


def test_valid_fits_the_temperature_and_stores_it(run):
    evaluation = judge(run)
    assert run.stored == [pytest.approx(fit_temperature(*model_on(run, "valid")))]
    assert evaluation.temperature == run.stored[0] > 1.2
    assert evaluation.temperature_fitted_here


def test_test_uses_what_is_stored_and_fits_nothing(run, monkeypatch):
    judge(run)
    stored = run.stored.copy()
    monkeypatch.setattr(evaluate, "fit_temperature", pytest.fail)
    monkeypatch.setattr(evaluate, "cross_fitted", pytest.fail)
    evaluation = judge(run, "test")
    assert run.stored == stored == [evaluation.temperature]
    log_scores, truth = model_on(run, "test")
    assert evaluation.scores.ece == pytest.approx(expected_calibration_error(temper(log_scores, stored[0]), truth))
    assert not evaluation.temperature_fitted_here


def test_the_temperature_never_sees_the_test_split(make_run):
    run = make_run()
    judge(run)
    data = read_prepared(run.data)
    fingerprint = data.fingerprint()
    turned = [type(row)(row.id, row.text, "sad") for row in data.examples("test")]
    rows = {"train": data.examples("train"), "valid": data.examples("valid"), "test": turned}
    write_prepared(run.data, rows)
    config = run.file("config.yaml")
    config.write_text(config.read_text().replace(fingerprint, read_prepared(run.data).fingerprint()))
    before = run.stored.copy()
    judge(run, "test")
    judge(run)
    assert run.stored == before * 2


def test_calibration_on_valid_is_cross_fitted_and_says_so(run):
    evaluation = judge(run)
    log_scores, truth = model_on(run, "valid")
    flattered = expected_calibration_error(temper(log_scores, evaluation.temperature), truth)
    assert evaluation.scores.ece != pytest.approx(flattered, abs=1e-9)
    assert FITTED_HERE in evaluation.notes
    assert evaluation.scores.ece < evaluation.uncalibrated.ece
    assert evaluation.uncalibrated.ece == pytest.approx(expected_calibration_error(temper(log_scores, 1.0), truth))


def test_test_before_valid_says_that_nothing_is_fitted(run):
    evaluation = judge(run, "test")
    assert evaluation.temperature == 1.0
    assert any(f"buddy evaluate {run.folder}" in note for note in evaluation.notes)


def test_other_data_uses_the_stored_temperature_and_leaves_it(run, tmp_path):
    judge(run)
    other = tmp_path / "other"
    other.mkdir()
    write_prepared(other, {"train": make_examples(["sad", "proud"], 20, "x"), "valid": make_examples(["sad"], 8, "y")})
    evaluation = judge(run, data=other, baselines=True)
    assert len(run.stored) == 1
    assert evaluation.temperature == run.stored[0]
    assert any("not the data" in note for note in evaluation.notes)
    assert evaluation.data.folder == str(other)
    # the baselines learned from the run's own train split, which knows four labels, not from the other one
    assert evaluation.baselines["majority"].scores.nll == pytest.approx(np.log(4))


def test_a_moved_folder_is_still_the_runs_own_data(run, tmp_path):
    moved = run.data.rename(tmp_path / "moved")
    with pytest.raises(UserMistake, match="--data"):
        judge(run)
    judge(run, data=moved)
    assert len(run.stored) == 1


def test_scores_and_predictions_are_those_of_the_model(run):
    evaluation = judge(run, "test")
    log_scores, truth = model_on(run, "test")
    said = read_predictions(run.file("predictions.parquet"))
    assert evaluation.n == len(truth) == 60
    assert evaluation.scores.accuracy == np.mean(log_scores.argmax(axis=1) == truth)
    assert np.array_equal(said.truth, truth)
    assert np.array_equal(said.predicted, log_scores.argmax(axis=1))
    assert np.allclose(said.probabilities, np.exp(log_scores), atol=1e-6)
    assert said.texts == tuple(example.text for example in read_prepared(run.data).examples("test"))


def test_stated_probabilities_use_the_new_temperature(run):
    evaluation = judge(run)
    log_scores, _ = model_on(run, "valid")
    said = read_predictions(run.file("predictions.parquet"))
    assert np.allclose(said.probabilities, temper(log_scores, evaluation.temperature), atol=1e-6)


def test_how_many_texts_go_at_once_changes_nothing(run, monkeypatch):
    at_once = judge(run, "test")
    monkeypatch.setattr(evaluate, "TEXTS_AT_ONCE", 7)
    assert judge(run, "test") == at_once


def test_each_split_keeps_its_own_file(run):
    judge(run, "valid")
    judge(run, "test")
    splits = {name: json.loads(run.file(name).read_text())["split"] for name in ("metrics.json", "metrics-valid.json")}
    assert splits == {"metrics.json": "test", "metrics-valid.json": "valid"}
    assert run.file("metrics-test.json").read_text() == run.file("metrics.json").read_text()


def test_baselines_are_judged_on_the_same_examples(run):
    evaluation = judge(run, "test", baselines=True)
    tfidf, majority = evaluation.baselines.values()
    assert tfidf.scores.accuracy == 1.0  # the label stands in the text
    assert majority.scores.accuracy == 15 / 60
    assert tfidf.accuracy_gain.value == pytest.approx(evaluation.scores.accuracy - 1.0)
    (worst, _), (low, high) = (one.accuracy_gain.interval or pytest.fail("no interval") for one in (tfidf, majority))
    assert worst < 0  # a loss is shown as one
    assert low <= majority.accuracy_gain.value <= high


def test_labels_that_the_model_lacks_are_named(run):
    run.model.labels = ("angry", "joyful")
    with pytest.raises(UserMistake, match="valid split has labels that the model does not know: 'proud', 'sad'"):
        judge(run)
    assert run.model.asked == []


def test_many_unknown_labels_are_counted(make_run):
    run = make_run(labels=[f"mood{i:02}" for i in range(12)])
    run.model.labels = ("mood00",)
    with pytest.raises(UserMistake, match=r"'mood01', .* and 6 more"):
        judge(run)


def test_two_systems_that_answer_alike_have_no_interval_of_their_difference(run, monkeypatch):
    monkeypatch.setattr(run.model, "_score", lambda text: [float(text.endswith(one)) for one in run.model.labels])
    tfidf = judge(run, baselines=True).baselines["TF-IDF + logistic regression"]
    assert (tfidf.accuracy_gain.value, tfidf.accuracy_gain.interval) == (0.0, None)


def test_a_checkpoint_that_a_crash_set_aside_is_found_again(run):
    run.file("best").rename(run.file(".best.old"))
    assert judge(run).n == 120


def test_the_temperature_is_not_given_to_a_model_that_has_taken_the_place_of_the_judged_one(run):
    run.file("best/model.safetensors").write_bytes(b"old")
    judging = run.model.log_scores

    def log_scores(texts):
        with atomic_folder(run.file("best")) as folder:  # as training does when there is a better model
            (folder / "model.safetensors").write_bytes(b"new")
            (folder / "buddy.json").write_text('{"temperature": 1.0}')
        return judging(texts)

    run.model.log_scores = log_scores
    evaluation = judge(run)
    assert run.stored == []
    assert json.loads(run.file("best/buddy.json").read_text()) == {"temperature": 1.0}
    assert evaluation.temperature != 1.0
    assert evaluation.notes[-1] == REPLACED.format(run=run.folder)


def test_rows_are_counted_without_reading_them(run, monkeypatch):
    read = PreparedData.examples

    def only_valid(data, split):
        assert split == "valid"
        return read(data, split)

    monkeypatch.setattr(PreparedData, "examples", only_valid)
    assert judge(run).data.examples == {"train": 200, "valid": 120, "test": 60}


def test_a_label_that_never_occurs_is_no_fault(run):
    run.model.labels = (*run.model.labels, "zeal")
    evaluation = judge(run, baselines=True)
    assert evaluation.per_label["zeal"].support == 0


def test_a_model_that_is_always_right_is_not_made_certain(run):
    run.model._score = lambda text: np.array([float(text.endswith(label)) for label in run.model.labels])
    evaluation = judge(run)
    assert evaluation.temperature == 1.0
    assert any("the temperature stays 1" in note for note in evaluation.notes)


def test_a_model_that_is_always_wrong_gets_a_note(run):
    run.model._score = lambda text: np.array([-float(text.endswith(label)) for label in run.model.labels])
    assert any("as extreme as it may be" in note for note in judge(run).notes)


def test_a_companion_is_judged_on_conversations_of_the_split(make_run):
    run = make_run(task="companion")
    evaluation = evaluate_run(EvaluateSettings(run.folder, split="test", bootstrap=20, seed=3, replies=4))
    expected = judge_companion(run.model, make_dialogues(run.model.labels, 12), 4, 20, 3)
    assert evaluation.companion == expected


def test_a_model_that_only_names_emotions_is_not_made_to_talk(make_run):
    run = make_run(task="companion")
    run.model.task = "emotion"
    assert judge(run).companion is None
    assert run.model.engine.read == run.model.engine.prefixes == []


@pytest.mark.parametrize("turns", [None, ("I'm sad.",)])
def test_a_companion_without_conversations_gets_a_note(run, turns):
    run.model.task = "companion"
    data = read_prepared(run.data)
    rows = {split: data.examples(split) for split in data.splits()}
    write_prepared(run.data, rows, turns and {"valid": [Dialogue("1", "sad", "Sad.", turns)]})
    evaluation = judge(run)
    assert evaluation.companion is None
    assert NO_CONVERSATIONS in evaluation.notes


TWO = [Example("1", "We won!", "joyful"), Example("2", "Gone.", "sad")]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: run.file("best").rename(run.file("gone")), "has no checkpoint yet"),
        (lambda run: run.file("config.yaml").write_text("settings: {}"), "does not say which data"),
        (lambda run: write_prepared(run.data, {"train": TWO, "valid": []}), "valid split of .* has no texts"),
        (lambda run: (run.data / "valid.parquet").unlink(), "no split named 'valid'"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(run, spoil, message):
    spoil(run)
    with pytest.raises(UserMistake, match=message):
        judge(run)
