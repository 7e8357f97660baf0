import json

import pytest

from buddy.errors import UserMistake
from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run
from buddy.evaluation.page_replies import reply_rows
from buddy.evaluation.results import read_evaluation, to_json
from tests.evaluation.conftest import build_run


def test_what_is_written_is_read(run):
    evaluation = evaluate_run(EvaluateSettings(run.folder, baselines=True, bootstrap=20))
    assert read_evaluation(run.file("metrics.json")) == evaluation
    assert json.loads(run.file("metrics.json").read_text()) == json.loads(json.dumps(to_json(evaluation)))


def test_what_is_written_of_a_companion_is_read(make_run):
    run = make_run(task="companion")
    for replies in (5, 0):
        evaluation = evaluate_run(EvaluateSettings(run.folder, bootstrap=20, replies=replies))
        assert read_evaluation(run.file("metrics.json")) == evaluation
        assert evaluation.companion
        assert (evaluation.companion.generated is None) == (replies == 0)


def test_a_perplexity_that_is_no_number_is_written_as_none(make_run, monkeypatch):
    monkeypatch.setattr("buddy.evaluation.replies.MOST_NATS", -1.0)
    run = make_run(task="companion")
    evaluation = evaluate_run(EvaluateSettings(run.folder, bootstrap=20, replies=0))
    record = json.loads(run.file("metrics.json").read_text())["replies"]["perplexity"]
    assert record["per_word"] is record["per_token"] is record["per_word_interval"] is None
    assert read_evaluation(run.file("metrics.json")) == evaluation
    assert evaluation.companion
    assert [row.value for row in reply_rows(evaluation.companion)][:4] == ["too large"] * 4


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
    assert not {"replies", "context_emotion", "companion"} & set(record)


def test_the_layout_of_a_companion(make_run):
    run = make_run(task="companion")
    evaluate_run(EvaluateSettings(run.folder, bootstrap=20, replies=5))
    record = json.loads(run.file("metrics.json").read_text())
    assert set(record["context_emotion"]) == {"conversations", "first_turn", "last_turn"}
    assert set(record["context_emotion"]["last_turn"]) == {"accuracy", "interval"}
    perplexity, generated = record["replies"]["perplexity"], record["replies"]["generated"]
    assert {"per_word", "per_word_interval", "per_word_by_reply", "per_space_word", "bits_per_byte"} <= set(perplexity)
    assert {"of_model", "of_people", "likeness", "sampling", "examples"} <= set(generated)
    assert {"distinct_1", "distinct_2", "empty", "loops", "repeated", "echoes", "special_tokens", "words"} == set(
        generated["of_model"]
    )
    assert set(generated["examples"][0]) == {"context", "reference", "reply"}
    assert "companion" not in record


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A metrics.json with everything that can be in one."""
    with pytest.MonkeyPatch.context() as patch:
        run = build_run(tmp_path_factory.mktemp("run"), patch, task="companion")
        evaluate_run(EvaluateSettings(run.folder, baselines=True, bootstrap=5, replies=3))
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
        ("replies", {}),
        ("replies", {"perplexity": {"per_word": 20.0}, "generated": None}),
        ("context_emotion", None),
        ("context_emotion", {"conversations": 1, "first_turn": {"accuracy": 1, "interval": 3}, "last_turn": {}}),
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
