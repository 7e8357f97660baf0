import json
from dataclasses import fields

import pytest

from buddy.errors import UserMistake
from buddy.evaluation.run_folder import HistoryRow, best_row, read_history, read_run
from buddy.training.checkpoint import CurvePoint


def test_settings_and_facts_are_read(run):
    read = read_run(run.folder)
    assert read.settings["backbone"] == "base"
    assert (read.device, read.parameters["total"]) == ("cpu, fp32", 14_000_000)
    assert read.versions["torch"] == "2.13.0"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "no config.yaml"),
        ("just words", "damaged"),
        ("other: 1", "damaged"),
        ("a: [", "damaged"),
        ("", "damaged"),
        ("settings: [a]", "damaged"),
        ("settings: {}\nparameters: {total: many}", "damaged"),
    ],
)
def test_a_folder_that_is_no_run_is_named(tmp_path, config, message):
    if config is not None:
        (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(UserMistake, match=message):
        read_run(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserMistake, match="There is no run folder"):
        read_run(tmp_path / "nowhere")


def test_history_keeps_what_was_not_measured_apart(tmp_path):
    (tmp_path / "history.jsonl").write_text(json.dumps({"step": 5, "valid_loss": 2, "valid_accuracy": None, "new": 1}))
    assert read_history(tmp_path) == (HistoryRow(step=5, valid_loss=2.0),)


def test_history_names_only_what_training_writes():
    assert {part.name for part in fields(HistoryRow)} <= {part.name for part in fields(CurvePoint)}


def test_a_half_written_last_line_is_skipped_and_an_earlier_one_is_named(run):
    file = run.file("history.jsonl")
    whole = file.read_text()
    file.write_text(whole + '{"step": 50, "ep')
    assert len(read_history(run.folder)) == 4
    file.write_text('{"step": 50, "ep\n' + whole)
    with pytest.raises(UserMistake, match="Line 1"):
        read_history(run.folder)


@pytest.mark.parametrize("line", ['{"step": 1e999}', '{"step": 1, "valid_loss": ' + "9" * 400 + "}", "[1]", "null"])
def test_a_line_that_is_no_point_is_named(tmp_path, line):
    (tmp_path / "history.jsonl").write_text(line + '\n{"step": 1}\n')
    with pytest.raises(UserMistake, match=r"Line 1 of .*history\.jsonl is damaged; remove it to go on"):
        read_history(tmp_path)


def test_history_that_is_no_text_is_named(tmp_path):
    (tmp_path / "history.jsonl").write_bytes(b'{"step": 1}\n\xff')
    with pytest.raises(UserMistake, match=r"history\.jsonl is not UTF-8 text; remove it"):
        read_history(tmp_path)


def test_a_loss_that_is_no_number_is_never_the_best(tmp_path):
    (tmp_path / "history.jsonl").write_text(
        '{"step": 1, "valid_loss": NaN, "valid_accuracy": NaN}\n'
        '{"step": 2, "valid_loss": 1.0, "valid_accuracy": 0.5}\n'
        '{"step": 3, "valid_loss": -Infinity, "valid_accuracy": 0.4}\n'
    )
    rows = read_history(tmp_path)
    assert [row.valid_loss for row in rows] == [None, 1.0, None]
    assert [best_row(rows, best_by) for best_by in ("loss", "accuracy")] == [1, 1]


def test_names_and_facts_become_words(tmp_path):
    (tmp_path / "config.yaml").write_text("settings: {5: emotion}\ngit_commit: 5\ndata_fingerprint: 12345\ndevice: 7")
    read = read_run(tmp_path)
    assert (read.settings, read.git_commit, read.data_fingerprint) == ({"5": "emotion"}, "5", "12345")
    assert read.device == "7"


def test_a_run_without_history_has_no_rows(tmp_path):
    assert read_history(tmp_path) == ()


def test_the_kept_checkpoint_is_the_first_of_the_best():
    rows = [
        HistoryRow(10, valid_accuracy=0.5, valid_loss=1.0),
        HistoryRow(20, valid_accuracy=0.6, valid_loss=2.0),
        HistoryRow(30, valid_accuracy=0.6, valid_loss=1.0),
    ]
    assert best_row(rows, "accuracy") == 1
    assert best_row(rows, "loss") == 0


def test_without_accuracies_the_loss_decides():
    assert best_row([HistoryRow(1, valid_loss=2.0), HistoryRow(2), HistoryRow(3, valid_loss=1.0)], None) == 2
