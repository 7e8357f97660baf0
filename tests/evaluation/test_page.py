import shlex
from dataclasses import replace

import pytest

from buddy.evaluation import page
from buddy.evaluation.metrics import LabelScore, ReliabilityBin, Scores
from buddy.evaluation.results import Baseline, Bootstrap, DataFacts, Evaluation, Gain, Reliability, Uncalibrated
from buddy.evaluation.run_folder import HistoryRow, Run, Setting, read_run
from buddy.training.settings import TrainSettings

SCORES = Scores(accuracy=0.48, top3_accuracy=0.7, macro_f1=0.46, weighted_f1=0.47, nll=1.9, ece=0.021)
ENDS = dict.fromkeys(("accuracy", "top3_accuracy", "macro_f1", "weighted_f1", "nll", "ece"), (0.4, 0.6))
EVALUATION = Evaluation(
    split="test",
    n=200,
    scores=SCORES,
    intervals=ENDS,
    bootstrap=Bootstrap(1000, 13, 0.95),
    temperature=1.5,
    temperature_fitted_here=False,
    uncalibrated=Uncalibrated(2.1, 0.15),
    per_label={
        "a": LabelScore(0.5, 0.5, 0.5, 120),
        "b": LabelScore(0.9, 0.9, 0.9, 80),
        "c": LabelScore(0, 0, 0, 0),
        "d": LabelScore(0, 0, 0, 0),
    },
    reliability=Reliability((ReliabilityBin(0.6, 0.7, 200, 0.63, 0.48),), ()),
    data=DataFacts("data/ed", "f" * 64, {"train": 1000, "test": 200}),
)


def against(value: float, interval: tuple[float, float] | None = None) -> Evaluation:
    return replace(EVALUATION, baselines={"rival": Baseline(SCORES, ENDS, Gain(value, interval), 1.0)})


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        ((0.031, (0.01, 0.05)), "The model is 3.1 points more accurate than rival (95% interval +1.0 to +5.0)"),
        ((-0.02, (-0.04, -0.001)), "2.0 points less accurate than rival (95% interval −4.0 to −0.1)"),
        ((0.01, (-0.01, 0.03)), "differs by +1.0 points, which may be chance"),
        ((0.01, None), "1.0 points more accurate than rival on these texts; no interval was made, so it is not known"),
        ((0.0, None), "The model is as accurate as rival on these texts; no interval was made"),
        ((0.0, (-0.02, 0.02)), "The model is as accurate as rival on these texts (95% interval −2.0 to +2.0)."),
    ],
)
def test_a_comparison_says_how_sure_it_is(gain, words):
    assert words in page.comparisons(against(*gain))[0]


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.63, "too sure of itself"), (0.4, "too modest"), (0.49, "neither too sure nor too modest")],
)
@pytest.mark.parametrize("temperature", [0.9, 1.0, 1.5])
def test_calibration_is_told_in_words(confidence, words, temperature):
    bins = (ReliabilityBin(0.0, 1.0, 50, 0.0, 0.0), ReliabilityBin(0.0, 1.0, 150, confidence / 0.75, 0.64))
    evaluation = replace(EVALUATION, temperature=temperature, reliability=Reliability(bins, ()))
    said = " ".join(page.calibration_sentences(evaluation))
    assert f"was {words}" in said
    assert f"on average {100 * confidence:.1f}% sure, and right in 48.0%" in said
    assert "off by 15.0" in said
    assert ("off by 2.1" in said) == (temperature != 1)
    assert ("No temperature was fitted" in said) == (temperature == 1)


def test_chance_is_the_share_of_the_most_frequent_label():
    assert page.chance(EVALUATION) == 0.6
    assert [bar.name for bar in page.bars(EVALUATION)] == ["this model", "chance level"]
    assert [bar.name for bar in page.bars(against(0))] == ["this model", "rival"]


@pytest.mark.parametrize(
    ("fingerprint", "learned", "baselines"),
    [
        ("f" * 64, page.OTHER_SPLIT, "the same train split as the model"),
        ("a" * 64, page.UNKNOWN_TEXTS, "the train split of data/mine"),
        (None, page.UNKNOWN_TEXTS, "the train split of data/ed"),
    ],
)
def test_what_was_learned_from_is_said_as_far_as_it_is_known(tmp_path, fingerprint, learned, baselines):
    run = Run(tmp_path, {"data": "data/mine"}, {}, data_fingerprint=fingerprint)
    assert f"for each. {learned} Always" in page.meaning(run, EVALUATION)
    assert page.baselines_data(run, EVALUATION) == f"The baselines learned from {baselines}"


def test_labels_are_ordered_from_best_to_worst_and_absent_ones_last():
    assert [label for label, _ in page.label_rows(EVALUATION)] == ["b", "a", "c", "d"]


def test_scores_are_written_in_their_units():
    cells = {row.measure.field: row.cells[0] for row in page.score_rows(EVALUATION)}
    assert (cells["accuracy"].value, cells["accuracy"].interval) == ("48.0", "40.0 – 60.0")
    assert (cells["nll"].value, cells["nll"].interval) == ("1.900", "0.400 – 0.600")


def test_the_best_checkpoint_is_compared_with_the_last():
    rows = [HistoryRow(10, 1.0), HistoryRow(600, 2.0), HistoryRow(1200, 3.0)]
    assert "went on to step 1,200 and found none better" in page.best_summary(rows, 0, patience=2)
    for going_on in (page.best_summary(rows, 1, patience=2), page.best_summary(rows, 0)):
        assert "the best so far; the last evaluation was at step 1,200" in going_on
    assert "may not have levelled out" in page.best_summary(rows, 2)


def test_commands_can_be_pasted_into_a_shell(tmp_path):
    run = Run(tmp_path / "my run", {"data": "it's here", "label": ["a b", "c"], "batch_size": 8, "deep": {"x": 1}}, {})
    train, report = page.commands(run, None)
    assert f"--data 'it'\"'\"'s here' --label 'a b' --label c --batch-size 8 --out '{tmp_path}/my run'" in train
    assert report == f"buddy report '{tmp_path}/my run'"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"task": "companion", "teacher": "/answers.parquet", "tensorboard": True},
        {"backbone": "gpt2", "vocabulary_size": 8192, "dropout": None, "lora_rank": 8},
        {"reply_weight": 0.5, "task": "companion", "label_weight": 1.0, "teacher": "/answers.parquet"},
        {name: getattr(TrainSettings, name) for name in ("batch_size", "max_tokens", "best_by", "patience", "device")},
        {"shard": True},
    ],
)
def test_the_command_of_a_run_asks_for_its_settings_again(trained_run, buddy, monkeypatch, more):
    from buddy.training.checkpoint import read_settings
    from buddy.training.stopping import StopRequest

    asked = []

    def note(settings, _):
        asked.append(settings)
        return StopRequest(signal_number=15)

    monkeypatch.setattr("buddy.training.run.start_run", note)
    run = read_run(trained_run)
    train, _ = page.commands(replace(run, settings={**run.settings, **more}), None)
    launcher, arguments = train.split("buddy ", 1)
    if launcher.startswith("torchrun"):
        monkeypatch.setenv("WORLD_SIZE", "2")
    _, _, err = buddy(*shlex.split(arguments))
    assert asked == [replace(read_settings(trained_run), **more)], err


def test_of_a_pretrained_model_nobody_knows_the_command(tmp_path):
    assert page.commands(Run(tmp_path, {"task": "text", "epochs": 2.0}, {}), None) == (f"buddy report {tmp_path}",)


def test_settings_are_written_as_people_write_them():
    settings: dict[str, Setting] = {"batch_size": 8, "resume": False, "tags": ["x", 1], "lora": None}
    assert page.setting_rows(settings) == (("batch size", "8"), ("resume", "no"), ("tags", "x, 1"))
